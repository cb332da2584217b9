package kmodule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each reason has words and a command of its own.
func TestWhy(t *testing.T) {
	const dep = "lib/modules/6.1.0/modules.dep"
	list := "kernel/drivers/net/bonding/bonding.ko: kernel/net/tls/tls.ko\nkernel/drivers/net/team/team.ko.xz:\n"
	for name, c := range map[string]struct {
		files             map[string]string
		code, why, remedy string
	}{
		"built without modules": {nil, "no-module-loader", "without modules", ""},
		"no module of it":       {map[string]string{"proc/modules": "", dep: ""}, "no-driver", "no module of it", "install"},
		"no list of modules":    {map[string]string{"proc/modules": ""}, "no-driver", "6.1.0 has no team driver", "install"},
		"locked": {map[string]string{"proc/modules": "", dep: list, "proc/sys/kernel/modules_disabled": "1\n"},
			"no-module-loader", "modules_disabled", "reboot"},
		"no helper": {map[string]string{"proc/modules": "", dep: list, "proc/sys/kernel/modprobe": "\n"},
			"no-module-loader", "kernel.modprobe is empty", "`modprobe team`"},
		"failed": {map[string]string{"proc/modules": "", dep: list, "proc/sys/kernel/modprobe": "/sbin/modprobe\n", "proc/sys/kernel/modules_disabled": "0\n"},
			"driver-not-loaded", "could not load", "modprobe team"},
	} {
		t.Run(name, func(t *testing.T) {
			s := System{Root: t.TempDir(), Release: "6.1.0"}
			for path, text := range c.files {
				path = filepath.Join(s.Root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got := s.Why("team")
			if got.Code != c.code || !strings.Contains(got.Why, c.why) || !strings.Contains(got.Remedy, c.remedy) || (c.remedy == "") != (got.Remedy == "") {
				t.Errorf("%+v", got)
			}
		})
	}
}
