package control

import _ "embed" // the description is a file, so that people can read it too

// Call is one thing that the API can be asked: the table from which it is described, and
// against which the server is tested.
type Call struct {
	Method, Path string
	// Doc is one sentence.
	Doc string
	// Query are the parameters behind the question mark.
	Query []Parameter
	// Request and Answer are values of the types, nil where there is none.
	Request, Answer any
	// Content is the type of the answer where that is not JSON.
	Content string
}

// Parameter is one parameter of a query.
type Parameter struct{ Name, Doc string }

// Calls lists the whole API.
func Calls() []Call {
	return []Call{
		{Method: "GET", Path: PathDaemon, Doc: "Tells who answers.", Answer: Daemon{}},
		{Method: "GET", Path: PathAggregates, Doc: "Tells the status of every aggregate, in the order of names.", Answer: StatusList{}},
		{Method: "POST", Path: PathAggregates, Doc: "Makes an aggregate that does not exist yet.", Request: UpRequest{}, Answer: StatusList{}},
		{Method: "DELETE", Path: PathAggregates, Doc: "Takes every aggregate apart.", Answer: Removed{}},
		{Method: "GET", Path: PathAggregate, Doc: "Tells the status of one aggregate.", Answer: StatusList{}},
		{Method: "DELETE", Path: PathAggregate, Doc: "Takes one aggregate apart and gives its ports back as they were.", Answer: Removed{}},
		{Method: "GET", Path: PathOptions, Doc: "Tells the values of all options in force.", Answer: Options{}},
		{Method: "PATCH", Path: PathOptions, Doc: "Changes options, all of them or none, and tells all values as read back.", Request: SetRequest{}, Answer: Options{}},
		{Method: "POST", Path: PathPorts, Doc: "Gives an aggregate more ports.", Request: AddRequest{}, Answer: StatusList{}},
		{Method: "DELETE", Path: PathPorts, Doc: "Gives ports back as they were, all of them or none.", Answer: StatusList{},
			Query: []Parameter{{"ports", "The ports, with commas between them."}}},
		{Method: "DELETE", Path: PathPort, Doc: "Gives one port back as it was.", Answer: StatusList{}},
		{Method: "POST", Path: PathExplain, Doc: "Tells which port a flow takes, by the table read back from the plane.", Request: ExplainRequest{}, Answer: Explanation{}},
		{Method: "GET", Path: PathReady, Doc: "Tells whether an aggregate is as far as somebody waits for.", Answer: Readiness{},
			Query: []Parameter{{"for", "carrier, ports=N, reachable (every gateway over it) or reachable=ADDRESS."}}},
		{Method: "POST", Path: PathSave, Doc: "Writes an aggregate as it runs into the daemon's configuration.", Request: SaveRequest{}, Answer: Saved{}},
		{Method: "GET", Path: PathProc, Doc: "Tells the status as the bonding driver words it in /proc/net/bonding.", Content: "text/plain"},
		{Method: "GET", Path: PathCapture, Doc: "Tells the last steps of the LACP of an aggregate, as a pcapng with its frames and, in comments, all else that went in.", Content: CaptureType},
		{Method: "POST", Path: PathApply, Doc: "Puts what files say in force, or tells the difference.", Request: ApplyRequest{}, Answer: Difference{}},
		{Method: "GET", Path: PathConfirm, Doc: "Tells what waits to be confirmed.", Answer: Pending{}},
		{Method: "POST", Path: PathConfirm, Doc: "Keeps what waits to be confirmed.", Answer: Pending{}},
		{Method: "DELETE", Path: PathConfirm, Doc: "Undoes what waits to be confirmed, at once.", Answer: Pending{}},
		{Method: "GET", Path: PathEvents, Doc: "Streams what happened, and with follow what happens, one StreamItem a line.", Answer: StreamItem{}, Content: "application/x-ndjson",
			Query: []Parameter{{"aggregate", "Only the events of this aggregate."}, {"since", "Only events after number N of the aggregate, or after NAME=N,NAME=N of several."},
				{"follow", "true keeps the stream open for what happens next."}}},
		{Method: "GET", Path: PathOpenAPI, Doc: "Tells this description.", Answer: map[string]any{}},
	}
}

//go:embed openapi.json
var openAPI string

// OpenAPI is the description of the API in OpenAPI 3.1, as the server gives it at
// PathOpenAPI. It is made of Calls and the types of this package by `make generate`.
func OpenAPI() string { return openAPI }
