// Package kernel holds tests of the planes that the kernel's own drivers are, by the real
// programs. They run in the virtual machine of test/vm.
package kernel
