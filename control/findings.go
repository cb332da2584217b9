package control

// FindingAddressShared is the code of the warning that a port was given back with the
// address that the aggregate goes on with.
const FindingAddressShared = "address-shared"

// The codes of the errors that an aggregate is listed with which nobody looks after: it could
// not be adopted, or not be taken apart. Nothing is said of its plan, and of its ports only
// the names.
const (
	FindingNotAdopted    = "not-adopted"
	FindingNotTakenApart = "not-taken-apart"
)
