// Command istio-api writes a FileDescriptorSet of the messages of Istio's certificate service, and of the error details that gRPC clients know, to
// standard output.
//
// Files come after the files that they import, and the set is deterministic: the same module versions give the same bytes.
package main

import (
	"fmt"
	"os"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

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
	set := &descriptorpb.FileDescriptorSet{}
	written := map[string]bool{}
	for _, root := range roots {
		file, err := protoregistry.GlobalFiles.FindFileByPath(root)
		if err != nil {
			fmt.Fprintf(os.Stderr, "istio-api: %s: %v\n", root, err)
			os.Exit(1)
		}
		appendWithImports(set, written, file)
	}
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err == nil {
		_, err = os.Stdout.Write(bytes)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "istio-api: %v\n", err)
		os.Exit(1)
	}
}

func appendWithImports(set *descriptorpb.FileDescriptorSet, written map[string]bool, file protoreflect.FileDescriptor) {
	if written[file.Path()] {
		return
	}
	written[file.Path()] = true
	imports := file.Imports()
	for i := range imports.Len() {
		appendWithImports(set, written, imports.Get(i).FileDescriptor)
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
}
