// Package netspace holds on to a network namespace by descriptor and runs code in it.
//
// A network namespace belongs to a thread. Sockets keep the namespace they were made
// in, but files under /proc/sys/net and new sockets follow the thread that opens
// them. [Space.Do] is for those.
package netspace
