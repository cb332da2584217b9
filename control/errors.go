package control

import (
	"errors"
	"net/http"

	"github.com/yokelag/yoke/agg"
)

// Codes of problems that the contract itself knows; faces turn them into exit codes.
const (
	CodeNoDaemon       = "no-daemon"
	CodeNotPermitted   = "not-permitted"
	CodeOtherNamespace = "other-namespace"
	CodeNotFound       = "not-found"
	CodeInternal       = "internal"
	CodeBadRequest     = "bad-request"
)

// StatusOf returns the HTTP status of a refusal with the code.
func StatusOf(code string) int {
	switch code {
	case CodeNotPermitted, CodeOtherNamespace:
		return http.StatusForbidden
	case CodeNotFound:
		return http.StatusNotFound
	case CodeInternal:
		return http.StatusInternalServerError
	case CodeBadRequest:
		return http.StatusBadRequest
	default:
		return http.StatusUnprocessableEntity
	}
}

// ProblemsOf returns err as problems; one that is none becomes a problem with
// CodeInternal.
func ProblemsOf(err error) agg.Problems {
	if several, ok := errors.AsType[agg.Problems](err); ok {
		return several
	}
	if one, ok := errors.AsType[*agg.Problem](err); ok {
		return agg.Problems{one}
	}
	return agg.Problems{{Code: CodeInternal, Rule: err.Error()}}
}

// HasCode reports whether one of the problems in err has the code.
func HasCode(err error, code string) bool {
	if err == nil {
		return false
	}
	for _, p := range ProblemsOf(err) {
		if p.Code == code {
			return true
		}
	}
	return false
}
