package main

import (
	"io"
	"slices"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// complete ends the remedies with whole commands: the words of this command line, also
// where a remedy leaves them open as `yoke ...`, with the fixes of its problems. One problem gets every command that would do; of several
// the last gets the command that heeds them all.
func complete(problems agg.Problems, args []string) {
	var last *agg.Problem
	all := slices.Clone(args)
	for _, p := range problems {
		p.Remedy = strings.ReplaceAll(p.Remedy, "yoke ...", "yoke "+shellWords(args))
		if len(p.Fixes) > 0 {
			last = p
			all = fixed(all, p, p.Fixes[0])
		}
	}
	offerTakeOver(problems, args)
	defer pointAtOptions(problems)
	if last == nil {
		return
	}
	commands := [][]string{all}
	if len(problems) == 1 {
		commands = nil
		for _, f := range last.Fixes {
			commands = append(commands, fixed(args, last, f))
		}
	}
	var texts []string
	for _, words := range commands {
		if readable(words) && !slices.Equal(words, args) {
			texts = append(texts, "`yoke "+shellWords(words)+"`")
		}
	}
	if len(texts) > 0 {
		last.Remedy = joinRemedy(last.Remedy, strings.Join(texts[:min(len(texts), maxCommands)], " or "))
	}
}

// offerTakeOver ends refusals of ports that have addresses or routes with the command that
// moves them, where that is all there is in the way.
func offerTakeOver(problems agg.Problems, args []string) {
	if len(problems) == 0 || len(args) == 0 || args[0] != "up" || slices.Contains(args, "--take-over") {
		return
	}
	for _, p := range problems {
		if p.Code != "has-addresses" && p.Code != "has-routes" {
			return
		}
	}
	words := append(slices.Clone(args), "--take-over")
	confirmed := func(word string) bool { return strings.HasPrefix(word, "--confirm") }
	if !slices.ContainsFunc(args, confirmed) {
		words = append(words, "--confirm", "60s")
	}
	last := problems[len(problems)-1]
	last.Remedy = "move them to the aggregate with `yoke " + shellWords(words) + "`, which undoes itself unless you then run `yoke confirm`; or " + last.Remedy
}

// pointAtOptions ends the remedies about options that name no command yet.
func pointAtOptions(problems agg.Problems) {
	for _, p := range problems {
		if p.Option != "" && !strings.Contains(p.Remedy, "`") {
			p.Remedy = strings.TrimPrefix(p.Remedy+"; what works is in `yoke help options`", "; ")
		}
	}
}

// maxCommands is how many alternatives are worth reading.
const maxCommands = 2

func joinRemedy(remedy, commands string) string {
	switch {
	case remedy == "":
		return commands
	case strings.HasSuffix(remedy, "?"):
		return remedy + " " + commands
	case strings.HasSuffix(remedy, "`"):
		return remedy + ", or " + commands
	default:
		return remedy + ": " + commands
	}
}

// readable tells whether the words are a command line that yoke reads, with no port
// named twice.
func readable(words []string) bool {
	root := (&app{out: io.Discard, err: io.Discard}).rootCommand()
	c, rest, err := root.Find(words)
	if err != nil || c == root {
		return false
	}
	if err := c.ParseFlags(rest); err != nil {
		return false
	}
	args := c.Flags().Args()
	for i, word := range args {
		if !strings.Contains(word, "=") && slices.Contains(args[:i], word) {
			return false
		}
	}
	return c.ValidateArgs(args) == nil
}

// fixed is args with one word written otherwise.
func fixed(args []string, p *agg.Problem, f agg.Fix) []string {
	var out []string
	done := false
	for _, arg := range args {
		to, hit := fixedWord(arg, p.Object, f)
		if hit && done {
			continue // as often as it is there, it is written once
		}
		done = done || hit
		if to != "" {
			out = append(out, to)
		}
	}
	if !done && f.To == "" && args[0] == "set" {
		// It stands in the aggregate already; an empty value takes it back.
		unset := f.Word + "="
		if !slices.Contains(args, p.Object) {
			unset = p.Object + "," + unset
		}
		return append(out, unset)
	}
	if !done && strings.Contains(f.To, "=") && len(args) > 1 {
		// Behind the name of the aggregate, which is where people write options.
		if i := slices.Index(args, p.Object); i >= 0 {
			return slices.Insert(slices.Clone(args), i+1, f.To)
		}
		return append(slices.Clone(args), f.To)
	}
	return out
}

// fixedWord is the word as the fix has it, and whether it concerns it: a name, an
// option of the aggregate, or a port with options of its own behind commas.
func fixedWord(arg, object string, f agg.Fix) (string, bool) {
	head, options, isPort := strings.Cut(arg, ",")
	if key, _, ok := strings.Cut(head, "="); ok {
		if !sameOption(key, f.Word, agg.OfAggregate) {
			return arg, false
		}
		return f.To, true
	}
	if head == f.Word {
		if f.To == "" {
			return "", true
		}
		// Where an option is only named, as for get, it has no value.
		to := strings.TrimSuffix(f.To, "=")
		return strings.TrimSuffix(to+","+options, ","), true
	}
	if !isPort || head != object {
		return arg, false
	}
	words := strings.Split(options, ",")
	for i, word := range words {
		key, _, _ := strings.Cut(word, "=")
		if !sameOption(key, f.Word, agg.OfPort) {
			continue
		}
		words[i] = f.To
		words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
		return strings.Join(append([]string{head}, words...), ","), true
	}
	return arg, false
}

// sameOption: the problem may name the option otherwise than the user did.
func sameOption(written, named string, scope agg.Scope) bool {
	if written == named {
		return true
	}
	o, ok := agg.Lookup(written, scope)
	return ok && o.Name == named
}

// shellWords joins words as a shell reads them.
func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.ContainsAny(w, " \t\n'\"\\$&|;<>()*?[]#~`!{}") {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
