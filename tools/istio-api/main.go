// Command istio-api writes a FileDescriptorSet of the messages of Istio's certificate service, and of the error details that gRPC clients know, to
// standard output.
//
// Files come after the files that they import, and the set is deterministic: the same module versions give the same bytes.
package main

import (
	"fmt"
	"os"

	descriptorset "garita/tools/descriptor-set"

	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	_ "google.golang.org/genproto/googleapis/rpc/status"
	_ "istio.io/api/security/v1alpha1"
)

// roots are the files that the program's users name in their own imports.
var roots = []string{
	"google/rpc/error_details.proto",
	"google/rpc/status.proto",
	"security/v1alpha1/ca.proto",
}

func main() {
	files, size, err := descriptorset.Write(os.Stdout, roots)
	if err != nil {
		fmt.Fprintf(os.Stderr, "istio-api: %v\n", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "istio-api: %d files, %d bytes\n", files, size)
}
