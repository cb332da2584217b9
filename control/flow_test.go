package control

import "testing"

func TestFlowRoundTrip(t *testing.T) {
	for _, text := range []string{
		"src=10.0.0.1,dst=10.0.0.2,proto=tcp,sport=40000,dport=443",
		"smac=02:00:00:00:00:01,dmac=02:00:00:00:00:02,vlan=7,src=2001:db8::1,dst=2001:db8::2,proto=58",
	} {
		f, err := ParseFlow(text)
		if err != nil {
			t.Fatal(err)
		}
		if f.String() != text {
			t.Errorf("got %s, want %s", f, text)
		}
	}
}

func TestFlowRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"source=10.0.0.1":                 "source: is not a field of a flow",
		"src=10.0.0.1,dst=::1":            "are not of the same IP version",
		"src=10.0.0.1":                    "needs both src and dst, or neither",
		"src=10.0.0.300,dst=10.0.0.1":     "src=10.0.0.300: cannot be read",
		"src=10.0.0.1,dst=10.0.0.2,x":     "x: is not of the form key=value",
		"src=1.1.1.1,dst=1.1.1.2,sport=7": "has ports but no proto",
	} {
		_, err := ParseFlow(text)
		if err == nil || !contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
