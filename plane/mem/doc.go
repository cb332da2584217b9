// Package mem is a plane and a kernel in memory, for tests, simulation and dry runs.
//
// A [World] holds interfaces with carrier, speed and address, tells subscribers of
// changes, and can be made to lose events or to refuse calls. A [Plane] forwards
// abstract frames over it by its plan, guard included: [Plane.Send] tells which port
// carries, and [Plane.Receive] whether the aggregate hears. What a plane did stays in
// the world when the plane is closed, as with planes that outlive their daemon.
package mem
