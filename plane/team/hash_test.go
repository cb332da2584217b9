package team

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/team"
)

// run is classic BPF as the kernel runs it, of the instructions that the programs use.
func run(t *testing.T, code []team.Instruction, frame []byte, tag policy.Tag) uint32 {
	t.Helper()
	var a, x uint32
	var mem [16]uint32
	for at := 0; at < len(code); at++ {
		i := code[at]
		k := i.K
		operand := k
		if i.Code&unix.BPF_X != 0 {
			operand = x
		}
		switch i.Code & 7 {
		case unix.BPF_LD:
			v, ok := loadWord(i, frame, tag, x, &mem)
			if !ok {
				return 0
			}
			a = v
		case unix.BPF_LDX:
			x = mem[k]
		case unix.BPF_ST:
			mem[k] = a
		case unix.BPF_ALU:
			a = calculate(t, i.Code&0xf0, a, operand)
		case unix.BPF_MISC:
			x = a
		case unix.BPF_RET:
			if i.Code&0x18 == unix.BPF_A {
				return a
			}
			return k
		case unix.BPF_JMP:
			taken := false
			switch i.Code & 0xf0 {
			case unix.BPF_JA:
				at += int(k)
				continue
			case unix.BPF_JEQ:
				taken = a == operand
			case unix.BPF_JGE:
				taken = a >= operand
			case unix.BPF_JGT:
				taken = a > operand
			case unix.BPF_JSET:
				taken = a&operand != 0
			}
			if taken {
				at += int(i.Jt)
			} else {
				at += int(i.Jf)
			}
		}
	}
	t.Fatal("the program has no end")
	return 0
}

func loadWord(i team.Instruction, frame []byte, tag policy.Tag, x uint32, mem *[16]uint32) (uint32, bool) {
	at := i.K
	switch i.Code & 0xe0 {
	case unix.BPF_MEM:
		return mem[i.K], true
	case unix.BPF_LEN:
		return uint32(len(frame)), true
	case unix.BPF_IND:
		at += x
	}
	switch at {
	case vlanIsThere:
		if tag.Present {
			return 1, true
		}
		return 0, true
	case vlanTag:
		return uint32(tag.TCI), true
	}
	size := map[uint16]int{unix.BPF_W: 4, unix.BPF_H: 2, unix.BPF_B: 1}[i.Code&0x18]
	if int(at)+size > len(frame) {
		return 0, false
	}
	b := append(make([]byte, 4-size), frame[at:int(at)+size]...)
	return binary.BigEndian.Uint32(b), true
}

func calculate(t *testing.T, op uint16, a, b uint32) uint32 {
	switch op {
	case unix.BPF_ADD:
		return a + b
	case unix.BPF_MUL:
		return a * b
	case unix.BPF_MOD:
		return a % b
	case unix.BPF_AND:
		return a & b
	case unix.BPF_OR:
		return a | b
	case unix.BPF_XOR:
		return a ^ b
	case unix.BPF_LSH:
		return a << b
	case unix.BPF_RSH:
		return a >> b
	}
	t.Fatalf("no ALU operation %#x", op)
	return 0
}

// randomFrame is often IP, with headers of all kinds, and often cut short.
func randomFrame(r *rand.Rand) []byte {
	f := make([]byte, 14+r.IntN(120))
	for i := range f {
		f[i] = byte(r.Uint32())
	}
	kinds := []uint16{typeIPv4, typeIPv6, typeVLAN, 0x0806, typeIPv4, typeIPv6}
	ip := f[14:]
	binary.BigEndian.PutUint16(f[12:], kinds[r.IntN(len(kinds))])
	if binary.BigEndian.Uint16(f[12:]) == typeVLAN && len(f) > 18 {
		binary.BigEndian.PutUint16(f[16:], kinds[r.IntN(2)])
		ip = f[18:]
	}
	protocols := []byte{1, 6, 17, 33, 47, 50, 51, 58, 132, 136}
	if len(ip) > 20 && r.IntN(8) > 0 {
		ip[0] = 0x45 + byte(r.IntN(3))
		if r.IntN(4) > 0 {
			ip[9] = protocols[r.IntN(len(protocols))]
			if r.IntN(4) > 0 {
				ip[6], ip[7] = 0, 0
			}
		}
	}
	if len(ip) > 60 && binary.BigEndian.Uint16(f[12:]) == typeIPv6 {
		ip[6] = protocols[r.IntN(len(protocols))]
		ip[40] = byte(r.IntN(6))
	}
	if len(ip) > 40 && ip[9] == 1 {
		ip[int(ip[0]&15)*4%40] = byte(r.IntN(15))
	}
	return f
}

// Every program chooses as policy.Hash and agg.Plan.Entry do.
func TestProgramsChooseAsTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	policies := append(hashes(), agg.HashFields)
	for range 24 {
		policies = append(policies, agg.HashFields|agg.HashPolicy(r.Uint32())&(agg.HashFields-1))
	}
	for _, h := range policies {
		for _, plan := range []agg.Plan{
			{Select: agg.SelectBuckets, Hash: h, Table: make([]agg.Choice, agg.NumBuckets)},
			{Select: agg.SelectModulo, Hash: h, Table: make([]agg.Choice, 7)},
		} {
			code, err := program(plan)
			if err != nil {
				t.Fatal(err)
			}
			if len(code) > 4096 {
				t.Fatalf("%v: %d instructions", h, len(code))
			}
			for range 4000 {
				frame, tag := randomFrame(r), policy.Tag{}
				if r.IntN(3) == 0 {
					tag = policy.Tag{Present: true, TCI: uint16(r.Uint32())}
				}
				want := plan.Entry(policy.Hash(h, frame, tag))
				if got := run(t, code, frame, tag); int(got) != want {
					t.Fatalf("%v by %v: entry %d, reference %d, frame %x, tag %v", h, plan.Select, got, want, frame, tag)
				}
			}
		}
	}
}
