// Package clsact makes, finds and removes the qdisc that tc filters of both directions of
// an interface stand in.
//
// An ingress qdisc stands in the same place and is no substitute: it has one list for both
// directions, so that filters meant for frames that leave would meet those that arrive.
package clsact
