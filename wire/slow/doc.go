// Package slow knows the slow protocols of IEEE 802.3 annex 57A as bytes: their
// envelope, LACPDUs of version 1 as in IEEE 802.1AX-2014 clause 6.4.2, and Marker PDUs
// as in clause 6.5.3.
//
// [Parse] opens the envelope, [ParseLACPDU] and [ParseMarker] read what is in it. A
// frame that cannot be used gives a [wire.Drop]; [CounterOf] tells which of the
// standard's counters it belongs to. LACPDUs of version 2 and of private versions are
// read as far as version 1 goes, which is what the standard asks of a receiver; [TLVs]
// walks what follows.
package slow
