package team

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/team"
)

// assembler collects classic BPF with labels. A jump goes to its label where the
// condition is true, and on to the next instruction otherwise.
type assembler struct {
	code   []team.Instruction
	jumps  map[int]string // by instruction
	labels map[string]int
}

func newAssembler() *assembler { return &assembler{jumps: map[int]string{}, labels: map[string]int{}} }

func (a *assembler) op(code uint16, k uint32) {
	a.code = append(a.code, team.Instruction{Code: code, K: k})
}

func (a *assembler) label(name string) { a.labels[name] = len(a.code) }

func (a *assembler) jump(code uint16, k uint32, to string) {
	a.jumps[len(a.code)] = to
	a.op(unix.BPF_JMP|code, k)
}

func (a *assembler) goTo(to string)              { a.jump(unix.BPF_JA, 0, to) }
func (a *assembler) ifEqual(k uint32, to string) { a.jump(unix.BPF_JEQ, k, to) }

// farJump is jump to a label that may be more than 255 instructions away.
func (a *assembler) farJump(code uint16, k uint32, to string) {
	there, on := fmt.Sprintf("far%d", len(a.code)), fmt.Sprintf("near%d", len(a.code))
	a.jump(code, k, there)
	a.goTo(on)
	a.label(there)
	a.goTo(to)
	a.label(on)
}

// finish resolves the labels.
func (a *assembler) finish() ([]team.Instruction, error) {
	for at, to := range a.jumps {
		target, ok := a.labels[to]
		distance := target - at - 1
		i := &a.code[at]
		switch {
		case !ok || distance < 0:
			return nil, fmt.Errorf("BPF: no way to label %s", to)
		case i.Code == unix.BPF_JMP|unix.BPF_JA:
			i.K = uint32(distance)
		case distance > 255:
			return nil, fmt.Errorf("BPF: label %s is %d instructions away", to, distance)
		default:
			i.Jt = uint8(distance)
		}
	}
	return a.code, nil
}

// The scratch words of the programs.
const (
	memEth   = iota // hash of the Ethernet header, or what is collected so far
	memAddr         // both addresses, in network order
	memPorts        // both ports, in network order
	memICMP         // the ICMP key, as a number
	memProto        // the protocol
	memAt           // where layer 4 begins
	memInner        // where the packet in an ICMP error begins
	memTemp
	memSwap
)

func (a *assembler) store(word uint32)       { a.op(unix.BPF_ST, word) }
func (a *assembler) recall(word uint32)      { a.op(unix.BPF_LD|unix.BPF_MEM, word) }
func (a *assembler) toX(word uint32)         { a.op(unix.BPF_LDX|unix.BPF_MEM, word) }
func (a *assembler) alu(op uint16, k uint32) { a.op(unix.BPF_ALU|op, k) }
func (a *assembler) aluX(op uint16)          { a.op(unix.BPF_ALU|op|unix.BPF_X, 0) }
func (a *assembler) aToX()                   { a.op(unix.BPF_MISC|unix.BPF_TAX, 0) }
func (a *assembler) length()                 { a.op(unix.BPF_LD|unix.BPF_W|unix.BPF_LEN, 0) }

// xorInto adds the accumulator to a word by exclusive or.
func (a *assembler) xorInto(word uint32) {
	a.toX(word)
	a.aluX(unix.BPF_XOR)
	a.store(word)
}

// place is where a header begins: at a fixed offset, or at one in a scratch word.
type place struct {
	offset  uint32
	word    uint32 // used where dynamic
	dynamic bool
}

// load reads from the frame, size being BPF_B, BPF_H or BPF_W.
func (a *assembler) load(size uint16, p place, at uint32) {
	if p.dynamic {
		a.toX(p.word)
		a.op(unix.BPF_LD|size|unix.BPF_IND, at)
		return
	}
	a.op(unix.BPF_LD|size|unix.BPF_ABS, p.offset+at)
}

// unlessLong jumps where the frame ends before p+n.
func (a *assembler) unlessLong(p place, n uint32, to string) {
	enough := fmt.Sprintf("long%d", len(a.code))
	if p.dynamic {
		a.recall(p.word)
		a.alu(unix.BPF_ADD, n)
		a.aToX()
		a.length()
		a.jump(unix.BPF_JGE|unix.BPF_X, 0, enough)
	} else {
		a.length()
		a.jump(unix.BPF_JGE, p.offset+n, enough)
	}
	a.goTo(to)
	a.label(enough)
}
