package team

import (
	"slices"
	"strings"
	"testing"
)

func samples() []Option {
	return []Option{
		{Key: Key{Name: OptMode}, Value: StringValue(ModeLoadBalance)},
		{Key: On(OptEnabled, 7), Value: BoolValue(true)},
		{Key: On(OptEnabled, 8), Value: BoolValue(false)},
		{Key: On(OptPriority, 7), Value: S32Value(-5)},
		{Key: At(OptHashToPort, 0), Value: U32Value(4294967295)},
		{Key: At(OptHashToPort, 255), Value: U32Value(7)},
		{Key: Key{Name: OptHashFunction}, Value: BinaryValue([]byte{1, 2, 3, 0, 5, 6, 7, 8})},
	}
}

func TestOptionsThereAndBack(t *testing.T) {
	m, err := parseMessage(request(cmdOptionsSet, 12, samples()))
	if err != nil {
		t.Fatal(err)
	}
	if m.ifindex != 12 || m.command != cmdOptionsSet || !slices.Equal(m.options, samples()) {
		t.Errorf("got %+v", m)
	}
}

func TestValuesAsText(t *testing.T) {
	for text, v := range map[string]Value{
		"4294967295": U32Value(4294967295), "-5": S32Value(-5), "true": BoolValue(true), "false": BoolValue(false),
		"hash": StringValue("hash"), strings.Repeat("x", MaxString): StringValue(strings.Repeat("x", 31)), `\00\ff`: BinaryValue([]byte{0, 255}),
	} {
		if v.String() != text {
			t.Errorf("%v is written %q", v, v.String())
		}
		if got, err := ParseValue(v.Type(), text); err != nil || got != v {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
	for text, kind := range map[string]Type{
		"-1": U32, "4294967296": U32, "2147483648": S32, "yes": Bool, `\0`: Binary, `x00`: Binary,
		strings.Repeat("x", MaxString+1): String, "": Type(99),
	} {
		if v, err := ParseValue(kind, text); err == nil {
			t.Errorf("%q is taken for the %v %v", text, kind, v)
		}
	}
}

func TestProgramsThereAndBack(t *testing.T) {
	want := []Instruction{{Code: 0x28, K: 12}, {Code: 0x15, Jt: 1, Jf: 2, K: 0x800}, {Code: 0x16}}
	got, err := ParseProgram(ProgramValue(want))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := ParseProgram(BinaryValue(make([]byte, 7))); err == nil {
		t.Error("seven bytes are a program")
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(request(cmdOptionsSet, 12, samples()))
	f.Add([]byte{3, 1, 0, 0, 8, 0, 1, 0, 1, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parseMessage(b) })
}
