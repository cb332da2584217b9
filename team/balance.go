package team

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// Instruction is one of classic BPF.
type Instruction = unix.SockFilter

// instructionLen is the length of one in bytes.
const instructionLen = 8

// HashFunction reads the program that mode loadbalance hashes frames with; none means
// that all have hash 0.
func (d *Device) HashFunction() ([]Instruction, error) {
	v, err := d.get(Key{Name: OptHashFunction}, Binary)
	if err != nil {
		return nil, err
	}
	program, err := ParseProgram(v)
	return program, failed("read option "+OptHashFunction, d.name, err)
}

// SetHashFunction sets the program. It runs over each frame from the destination address
// on, and the driver folds the four bytes of its result into one by exclusive or: that is
// the hash. An empty program is none.
func (d *Device) SetHashFunction(program []Instruction) error {
	return d.Set(Key{Name: OptHashFunction}, ProgramValue(program))
}

// ProgramValue is a program as the value of [OptHashFunction].
func ProgramValue(program []Instruction) Value {
	var b []byte
	for _, i := range program {
		b = binary.NativeEndian.AppendUint16(b, i.Code)
		b = append(b, i.Jt, i.Jf)
		b = binary.NativeEndian.AppendUint32(b, i.K)
	}
	return BinaryValue(b)
}

// ParseProgram reads a program from the value of [OptHashFunction].
func ParseProgram(v Value) ([]Instruction, error) {
	b := v.data
	if len(b)%instructionLen != 0 {
		return nil, errors.New("not a whole number of BPF instructions")
	}
	var out []Instruction
	for ; b != ""; b = b[instructionLen:] {
		i := []byte(b[:instructionLen])
		out = append(out, Instruction{
			Code: binary.NativeEndian.Uint16(i), Jt: i[2], Jf: i[3], K: binary.NativeEndian.Uint32(i[4:]),
		})
	}
	return out, nil
}

// TxMethod is how mode loadbalance turns a hash into a port: [MethodHash] or
// [MethodMapping].
func (d *Device) TxMethod() (string, error) {
	v, err := d.get(Key{Name: OptTxMethod}, String)
	return v.String(), err
}

// SetTxMethod sets it. Under MethodMapping a hash that is mapped to no port goes by
// MethodHash.
func (d *Device) SetTxMethod(m string) error { return d.Set(Key{Name: OptTxMethod}, StringValue(m)) }

// HashToPort is the port of each hash, 0 where none is set.
func (d *Device) HashToPort() ([Hashes]int, error) {
	options, err := d.Options()
	var out [Hashes]int
	for _, o := range options {
		if o.Name == OptHashToPort && o.Index < Hashes {
			out[o.Index] = int(o.Value.U32())
		}
	}
	return out, err
}

// SetHashToPort maps one hash to a port. ENODEV where the port is not enabled; disabling
// a port clears what was mapped to it.
func (d *Device) SetHashToPort(hash, port int) error {
	return d.Set(At(OptHashToPort, hash), U32Value(uint32(port)))
}

// Traffic is what mode loadbalance has sent, in bytes, as of the last refresh.
type Traffic struct {
	Hash [Hashes]uint64
	Port map[int]uint64
}

// Traffic reads it. Without a refresh period it stays as it is.
func (d *Device) Traffic() (Traffic, error) {
	t := Traffic{Port: map[int]uint64{}}
	options, err := d.Options()
	for _, o := range options {
		if len(o.Value.data) != 8 {
			continue
		}
		n := binary.NativeEndian.Uint64([]byte(o.Value.data))
		switch {
		case o.Name == OptHashStats && o.Index < Hashes:
			t.Hash[o.Index] = n
		case o.Name == OptPortStats:
			t.Port[o.Port] = n
		}
	}
	return t, err
}

// StatsRefresh is how often the driver adds up what was sent, in tenths of a second; 0
// is never.
func (d *Device) StatsRefresh() (uint32, error) {
	v, err := d.get(Key{Name: OptStatsRefreshPeriod}, U32)
	return v.U32(), err
}

// SetStatsRefresh sets it. Every refresh makes an event of what has changed.
func (d *Device) SetStatsRefresh(tenths uint32) error {
	return d.Set(Key{Name: OptStatsRefreshPeriod}, U32Value(tenths))
}
