package control

// FindingAddressShared is the code of the warning that a port was given back with the
// address that the aggregate goes on with.
const FindingAddressShared = "address-shared"
