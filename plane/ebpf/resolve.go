package ebpf

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// resolve writes into the instructions of a program where this kernel keeps the members of
// its structures, and the numbers of its types and functions. To decode the kernel's types
// takes some 75 ms of work and 10 MB of memory; done once for each program that asks for
// them, and not for each load of one, it is in no port's way. A program that does not ask
// is left as it is.
func resolve(program *ebpf.ProgramSpec) error {
	asks := newQuestions(program.Instructions)
	if len(asks.places) == 0 && len(asks.calls) == 0 {
		return nil
	}
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return fmt.Errorf("read the kernel's types: %w", err)
	}
	if err := asks.locate(kernel, program.ByteOrder); err != nil {
		return fmt.Errorf("find places in the kernel's structures: %w", err)
	}
	for _, call := range asks.calls {
		if err := number(call, kernel); err != nil {
			return fmt.Errorf("find the kernel's function %s: %w", call.Reference(), err)
		}
	}
	return nil
}

// questions are the instructions of a program that depend on the kernel.
type questions struct {
	places []*asm.Instruction
	calls  []*asm.Instruction
}

func newQuestions(program asm.Instructions) (q questions) {
	for i := range program {
		ins := &program[i]
		if btf.CORERelocationMetadata(ins) != nil {
			q.places = append(q.places, ins)
		}
		if ins.IsKfuncCall() {
			q.calls = append(q.calls, ins)
		}
	}
	return q
}

// locate answers what CO-RE would at each load.
func (q questions) locate(kernel *btf.Spec, order binary.ByteOrder) error {
	var wanted []*btf.CORERelocation
	for _, ins := range q.places {
		wanted = append(wanted, btf.CORERelocationMetadata(ins))
	}
	answers, err := btf.CORERelocate(wanted, []*btf.Spec{kernel}, order, ownType)
	if err != nil {
		return err
	}
	for i, ins := range q.places {
		if err := answers[i].Apply(ins); err != nil {
			return fmt.Errorf("%s: %w", wanted[i], err)
		}
		*ins = answered(*ins)
	}
	return nil
}

// ownType refuses to number types of the program: each load numbers them anew.
func ownType(btf.Type) (btf.TypeID, error) {
	return 0, errors.New("asks for the number of a type of its own")
}

// number makes a call that names a function of the kernel one by the function's number.
func number(call *asm.Instruction, kernel *btf.Spec) error {
	var function *btf.Func
	if err := kernel.TypeByName(call.Reference(), &function); err != nil {
		return err
	}
	id, err := kernel.TypeID(function)
	if err != nil {
		return err
	}
	*call = answered(*call)
	call.Constant, call.Offset = int64(id), 0 // of the kernel itself and of no module
	return nil
}

// answered is an instruction without its question.
func answered(ins asm.Instruction) asm.Instruction {
	source, symbol, function := ins.Source(), ins.Symbol(), btf.FuncMetadata(&ins)
	ins.Metadata = asm.Metadata{}
	if source != nil {
		ins = ins.WithSource(source)
	}
	if symbol != "" {
		ins = ins.WithSymbol(symbol)
	}
	if function != nil {
		ins = btf.WithFuncMetadata(ins, function)
	}
	return ins
}
