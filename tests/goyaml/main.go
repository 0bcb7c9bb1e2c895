// Command goyaml reads a YAML stream as Kubernetes' Go programs do.
//
// The stream comes on standard input; each document is printed as one line of JSON, an empty one
// as null. What Go rejects ends the program with status 1 and the error on standard error.
//
// The stream is cut into documents by k8s.io/apimachinery, as kubectl cuts it, and each document
// is read by sigs.k8s.io/yaml, as kubectl, Helm, Argo CD and Flux read it. Of two equal keys the
// last one wins; with -strict they are an error, as a kustomization makes them.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	stream "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	strict := flag.Bool("strict", false, "reject duplicate keys")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *strict); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, strict bool) error {
	toJSON := yaml.YAMLToJSON
	if strict {
		toJSON = yaml.YAMLToJSONStrict
	}
	reader := stream.NewYAMLReader(bufio.NewReader(in))
	for number := 1; ; number++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("document %d: %w", number, err)
		}
		line, err := toJSON(document)
		if err != nil {
			return fmt.Errorf("document %d: %w", number, err)
		}
		if _, err := out.Write(append(bytes.TrimSpace(line), '\n')); err != nil {
			return err
		}
	}
}
