package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// copyPrograms copies yoke and yoked into memory: a file of the host's would be read in the
// host's time, while the machine's clock jumps.
func copyPrograms(bin string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "bench-kernel-"); err != nil {
		return "", err
	}
	for _, name := range []string{"yoke", "yoked"} {
		if err := copyProgram(filepath.Join(bin, name), filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
