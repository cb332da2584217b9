package team

// Driver is the team driver as [Device] uses it: a [Kernel], or teamtest's in memory.
// Devices and ports are named by ifindex. Its methods are safe for concurrent use.
type Driver interface {
	// Options reads all options of a device.
	Options(device int) (Options, error)
	// SetOptions sets options one after the other. It ends at the first error, and what
	// was set before stays. An unknown option is unix.ENOENT.
	SetOptions(device int, options ...Option) error
	// Ports reads the ports of a device, in the driver's order.
	Ports(device int) ([]Port, error)
	// AddPort makes an interface a port. It must be down, and is up afterwards.
	AddPort(device, port int) error
	// RemovePort gives a port back, down, with the address and MTU it came with.
	RemovePort(device, port int) error
	// SetCarrier sets the device's carrier. From the first call on, and until the mode
	// changes, the driver leaves the carrier alone.
	SetCarrier(device int, up bool) error
	// Destroy removes a device and gives its ports back.
	Destroy(device int) error
	// Subscribe reports changes of all devices of the namespace from now on.
	Subscribe() (Subscription, error)
}

// Subscription is a stream of changes. One goroutine may call Next, another Close.
type Subscription interface {
	// Next waits for the next change. After Close it returns [ErrClosed]; where the kernel
	// dropped events, [ErrLost] once, and the stream goes on.
	Next() (Change, error)
	// Close ends the subscription and a waiting Next.
	Close() error
}

// Change is what the driver says has changed of a device: the new values of options, and
// of ports. It may repeat what is known.
type Change struct {
	Device  int
	Options []Option
	Ports   []Port
}

// CreateOptions are those of a new device.
type CreateOptions struct {
	// MAC is the address, 6 bytes; without one the kernel chooses at random.
	MAC []byte
	// MTU is in bytes, 0 for the kernel's 1500.
	MTU int
	// TxQueues is the number of transmit queues, 0 for the kernel's 16.
	TxQueues int
}
