package main

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/book"
)

func each(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		each(sub, f)
	}
}

// Every verb says what it does, with an example that it reads itself.
func TestEveryCommandHasAnExample(t *testing.T) {
	root := (&app{out: io.Discard, err: io.Discard}).rootCommand()
	each(root, func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		if c.Short == "" || c.Example == "" {
			t.Errorf("%s: no sentence or no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			words := strings.Fields(line)
			if len(words) == 0 || words[0] != "yoke" && words[0] != "source" && words[0] != "sudo" {
				t.Errorf("%s: the example %q is no command of yoke", c.CommandPath(), line)
				continue
			}
			if i := indexOfShell(words); i > 0 {
				words = words[:i]
			}
			if words[0] == "yoke" && !exampleReads(words[1:]) {
				t.Errorf("%s: yoke does not read its own example %q", c.CommandPath(), line)
			}
		}
	})
}

// indexOfShell is where a pipe or redirection begins, -1 without.
func indexOfShell(words []string) int {
	for i, w := range words {
		if w == ">" || w == "|" {
			return i
		}
	}
	return -1
}

// exampleReads tells whether the words are a command line with known flags and the right
// number of arguments.
func exampleReads(words []string) bool {
	root := (&app{out: io.Discard, err: io.Discard}).rootCommand()
	c, rest, err := root.Find(words)
	if err != nil || c == root {
		return false
	}
	if c.DisableFlagParsing {
		return true
	}
	return c.ParseFlags(rest) == nil && c.ValidateArgs(c.Flags().Args()) == nil
}

func TestCompletions(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out bytes.Buffer
		if code := run(t.Context(), []string{"completion", shell}, &out, io.Discard); code != exitOK || out.Len() < 1000 {
			t.Errorf("%s: exit code %d, %d bytes", shell, code, out.Len())
		}
		if path, err := exec.LookPath(shell); err == nil {
			check := exec.Command(path, "-n", "/dev/stdin")
			check.Stdin = &out
			if text, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s does not read its completion: %v\n%s", shell, err, text)
			}
		}
	}
}

// What a shell is told, by the hidden command that completions call.
func TestCompletedWords(t *testing.T) {
	t.Setenv("YOKE_SOCKET", t.TempDir()+"/none")
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"up", "bond0", "xmit_hash_policy="}, "xmit_hash_policy=layer3+4"},
		{[]string{"up", "bond0", "xm"}, "xmit_hash_policy="},
		{[]string{"wait", "bond0", "--for", ""}, "ports="},
		{[]string{"co"}, "confirm"},
		{[]string{"completion", ""}, "zsh"},
	} {
		var out bytes.Buffer
		run(t.Context(), append([]string{"__complete"}, c.words...), &out, io.Discard)
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: got %s", c.words, &out)
		}
	}
}

//go:generate env YOKE_WRITE_BOOKS=1 go test -count=1 -run ^TestBooksOfCommandsAndOptions$ .

// docs/options.md and docs/commands.md are what the table and the commands say.
func TestBooksOfCommandsAndOptions(t *testing.T) {
	book.Same(t, "../../docs/options.md", optionsBook())
	book.Same(t, "../../docs/commands.md", commandsBook())
}

func optionsBook() string {
	var b bytes.Buffer
	b.WriteString("# Options\n\n<!-- by make generate, from the table of options -->\n\n" +
		"The same words in files, as `OPTION=VALUE` on the command line and in the API. Options of a port stand\n" +
		"behind its name: `eth2,prio=10`. `yoke help OPTION` prints one of these paragraphs.\n")
	var later []string
	for _, o := range agg.Options() {
		if !o.Built {
			later = append(later, "* `"+o.Name+"`: "+o.Doc+elsewhere(o))
			continue
		}
		b.WriteString("\n## " + o.Name + "\n\n" + o.Doc + "\n\n| | |\n| --- | --- |\n")
		row := func(name, value string) {
			if value != "" {
				b.WriteString("| " + name + " | " + value + " |\n")
			}
		}
		row("values", valuesOf(&o))
		row("of", scopeText(o.Scope))
		row("modes", modeNames(o.Modes))
		row("also called", strings.Join(o.Aliases, ", "))
		row("default", orDash(o.Default))
		row("bonding's default", o.Bonding)
		row("teamd's default", o.Teamd)
		row("may change", whenText(o.When))
		row("bonding's file", o.Sysfs)
		row("teamd's key", o.TeamdKey)
	}
	if later != nil {
		b.WriteString("\n## Known and refused\n\nThese are refused by name, with the way that works where there is one.\n\n" + strings.Join(later, "\n") + "\n")
	}
	return b.String()
}

func elsewhere(o agg.Option) string {
	if o.Instead == "" {
		return ""
	}
	return " Instead: " + o.Instead + "."
}

func commandsBook() string {
	var b bytes.Buffer
	b.WriteString("# Commands\n\n<!-- by make generate, from the commands themselves -->\n\n" +
		"Every command takes `--socket PATH`, and `-o json` where it prints something.\n\n```text\n" + exitCodesHelp + "```\n")
	root := (&app{out: io.Discard, err: io.Discard}).rootCommand()
	for _, c := range root.Commands() {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		b.WriteString("\n## " + c.Name() + "\n\n" + c.Short + ".\n\n```text\nyoke " + c.Use + "\n```\n")
		if c.Long != "" {
			b.WriteString("\n" + c.Long + "\n")
		}
		if flags := c.NonInheritedFlags().FlagUsages(); flags != "" {
			b.WriteString("\n```text\n" + flags + "```\n")
		}
		b.WriteString("\n```sh\n")
		for line := range strings.Lines(c.Example) {
			b.WriteString(strings.TrimSpace(line) + "\n")
		}
		b.WriteString("```\n")
	}
	return b.String()
}
