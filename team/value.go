package team

import (
	"fmt"
	"strconv"
	"strings"
)

// Type is the type of an option's value, by the number the driver gives it.
type Type uint8

// The types that options of the driver have.
const (
	U32    Type = 3  // 32 bits, unsigned
	String Type = 5  // at most MaxString bytes
	Bool   Type = 6  // present or not
	Binary Type = 11 // bytes
	S32    Type = 14 // 32 bits, signed
)

// MaxString is the length in bytes of the longest string value: the driver's 32
// (TEAM_STRING_MAX_LEN) hold a NUL too.
const MaxString = 31

// String names the type as teamnl's manual does.
func (t Type) String() string {
	switch t {
	case U32:
		return "u32"
	case String:
		return "string"
	case Bool:
		return "bool"
	case Binary:
		return "binary"
	case S32:
		return "s32"
	default:
		return "type " + strconv.Itoa(int(t))
	}
}

// Value is the value of an option. Values can be compared with ==. The zero Value has no
// type and can not be set.
type Value struct {
	kind Type
	n    int64
	data string
}

// U32Value is an unsigned number.
func U32Value(n uint32) Value { return Value{kind: U32, n: int64(n)} }

// S32Value is a signed number.
func S32Value(n int32) Value { return Value{kind: S32, n: int64(n)} }

// BoolValue is a truth value.
func BoolValue(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.n = 1
	}
	return v
}

// StringValue is a text.
func StringValue(s string) Value { return Value{kind: String, data: s} }

// BinaryValue is a copy of b.
func BinaryValue(b []byte) Value { return Value{kind: Binary, data: string(b)} }

// Type is the type of the value.
func (v Value) Type() Type { return v.kind }

// U32 is the number of a U32 value, 0 for others.
func (v Value) U32() uint32 { return uint32(v.n) }

// S32 is the number of an S32 value, 0 for others.
func (v Value) S32() int32 { return int32(v.n) }

// Bool is the truth of a Bool value, false for others.
func (v Value) Bool() bool { return v.kind == Bool && v.n != 0 }

// Bytes is a copy of the bytes of a Binary or String value, empty for others.
func (v Value) Bytes() []byte { return []byte(v.data) }

// String writes the value as teamnl does: numbers in decimal, true or false, a text as it
// is, and bytes as \xx each.
func (v Value) String() string {
	switch v.kind {
	case U32, S32:
		return strconv.FormatInt(v.n, 10)
	case Bool:
		return strconv.FormatBool(v.n != 0)
	case Binary:
		var b strings.Builder
		for i := range len(v.data) {
			fmt.Fprintf(&b, `\%02x`, v.data[i])
		}
		return b.String()
	default:
		return v.data
	}
}

// ParseValue reads what [Value.String] writes.
func ParseValue(t Type, text string) (Value, error) {
	switch t {
	case U32:
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return Value{}, fmt.Errorf("%q is not a number from 0 to 4294967295", text)
		}
		return U32Value(uint32(n)), nil
	case S32:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return Value{}, fmt.Errorf("%q is not a number from -2147483648 to 2147483647", text)
		}
		return S32Value(int32(n)), nil
	case Bool:
		if text != "true" && text != "false" {
			return Value{}, fmt.Errorf("%q is neither true nor false", text)
		}
		return BoolValue(text == "true"), nil
	case String:
		if len(text) > MaxString {
			return Value{}, fmt.Errorf("%d bytes are too long for a string option, the driver takes %d", len(text), MaxString)
		}
		return StringValue(text), nil
	case Binary:
		return parseBinary(text)
	default:
		return Value{}, fmt.Errorf("no text form for %v", t)
	}
}

func parseBinary(text string) (Value, error) {
	var out []byte
	for rest := text; rest != ""; rest = rest[3:] {
		if len(rest) < 3 || rest[0] != '\\' {
			return Value{}, fmt.Errorf(`%q is not a series of \xx`, text)
		}
		b, err := strconv.ParseUint(rest[1:3], 16, 8)
		if err != nil {
			return Value{}, fmt.Errorf(`%q is not a series of \xx`, text)
		}
		out = append(out, byte(b))
	}
	return BinaryValue(out), nil
}
