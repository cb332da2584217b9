package team_test

import (
	"fmt"
	"log"

	"github.com/yokelag/yoke/team"
	"github.com/yokelag/yoke/team/teamtest"
)

// A device of two ports, of which one carries. With a kernel the device is made by
// Kernel.Create, and ports are interfaces that are down.
func Example() {
	driver := teamtest.New() // in a program: team.Open()
	dev := driver.Create("team0")
	eth1, eth2 := driver.NewPort(), driver.NewPort()
	if err := dev.SetMode(team.ModeActiveBackup); err != nil {
		log.Fatal(err)
	}
	for _, port := range []int{eth1, eth2} {
		if err := dev.AddPort(port); err != nil {
			log.Fatal(err)
		}
	}
	if err := dev.SetActivePort(eth2); err != nil {
		log.Fatal(err)
	}
	active, err := dev.ActivePort()
	fmt.Println(active == eth2, err)
	// Output: true <nil>
}

func ExampleDevice_Watch() {
	driver := teamtest.New()
	dev := driver.Create("team0")
	w, err := dev.Watch()
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Next(); err != nil { // everything there is
		log.Fatal(err)
	}
	if err := dev.SetMode(team.ModeRandom); err != nil {
		log.Fatal(err)
	}
	c, err := w.Next()
	fmt.Println(c.Options, err)
	// Output: [mode=random] <nil>
}

// Every hash goes to one of two ports, by the last byte of the destination address.
func ExampleDevice_SetHashFunction() {
	driver := teamtest.New()
	dev := driver.Create("team0")
	if err := dev.SetMode(team.ModeLoadBalance); err != nil {
		log.Fatal(err)
	}
	program := []team.Instruction{
		{Code: 0x30, K: 5}, // load the byte at 5
		{Code: 0x16},       // return it
	}
	if err := dev.SetHashFunction(program); err != nil {
		log.Fatal(err)
	}
	got, err := dev.HashFunction()
	fmt.Println(len(got), err)
	// Output: 2 <nil>
}
