// Package descriptorset writes messages of Go modules as a FileDescriptorSet, from which TypeScript is generated.
package descriptorset

import (
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Write writes the files of roots, which imports of the caller have registered, and those that they import; every file comes after the
// files that it imports. Deterministic: the same module versions give the same bytes. Says how many files and bytes it wrote.
func Write(out io.Writer, roots []string) (files, size int, err error) {
	set := &descriptorpb.FileDescriptorSet{}
	written := map[string]bool{}
	for _, root := range roots {
		file, err := protoregistry.GlobalFiles.FindFileByPath(root)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", root, err)
		}
		appendWithImports(set, written, file)
	}
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return 0, 0, err
	}
	size, err = out.Write(bytes)
	return len(set.File), size, err
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
