// Command gofluxapi reads Flux's own objects with Flux's own types.
//
// Each line of standard input is an object; each line of the output is {} or {"error": "..."}. A
// field that its type does not have is an error, which an API server would drop without a word.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	helm "github.com/fluxcd/helm-controller/api/v2"
	kustomize "github.com/fluxcd/kustomize-controller/api/v1"
	source "github.com/fluxcd/source-controller/api/v1"
	"sigs.k8s.io/yaml"
)

type answer struct {
	Error string `json:"error,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	objects := json.NewDecoder(in)
	buffered := bufio.NewWriter(out)
	answers := json.NewEncoder(buffered)
	for {
		var object json.RawMessage
		if err := objects.Decode(&object); err == io.EOF {
			return buffered.Flush()
		} else if err != nil {
			return err
		}
		var given answer
		if err := decode(object); err != nil {
			given.Error = err.Error()
		}
		if err := answers.Encode(given); err != nil {
			return err
		}
	}
}

func decode(object []byte) error {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := json.Unmarshal(object, &head); err != nil {
		return err
	}
	var typed any
	switch head.APIVersion + "/" + head.Kind {
	case helm.GroupVersion.String() + "/" + helm.HelmReleaseKind:
		typed = &helm.HelmRelease{}
	case kustomize.GroupVersion.String() + "/" + kustomize.KustomizationKind:
		typed = &kustomize.Kustomization{}
	case source.GroupVersion.String() + "/" + source.GitRepositoryKind:
		typed = &source.GitRepository{}
	case source.GroupVersion.String() + "/" + source.HelmRepositoryKind:
		typed = &source.HelmRepository{}
	case source.GroupVersion.String() + "/" + source.OCIRepositoryKind:
		typed = &source.OCIRepository{}
	default:
		return fmt.Errorf("%s/%s is none of Flux's kinds", head.APIVersion, head.Kind)
	}
	return yaml.UnmarshalStrict(object, typed)
}
