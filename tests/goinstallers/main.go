// Command goinstallers reads bootstrap files as the installers of clusters do.
//
// Each line of standard input is {"installer": "...", "text": "..."}; each line of the output is
// {"read": ...} with what the installer's own types hold, or {"error": "..."}. Unknown fields are
// errors.
//
//   - kubeadm: the documents of `kubeadm init --config`, strictly decoded, defaulted, converted and
//     validated by k8s.io/kubernetes; read is the ClusterConfiguration, what InitConfiguration
//     skips, and the KubeProxyConfiguration.
//   - talos: a patch, applied to the machine configuration that `talosctl gen config` makes, and
//     validated as that of a control-plane node on metal; read is the result.
//   - kind: a cluster with its defaults.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	talosyaml "gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"
	kubeproxy "k8s.io/kube-proxy/config/v1alpha1"
	"k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm"
	"k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/scheme"
	"k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/v1beta4"
	"k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/validation"
	kubeadmutil "k8s.io/kubernetes/cmd/kubeadm/app/util"
	"k8s.io/kubernetes/cmd/kubeadm/app/util/config/strict"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/yaml"
)

type question struct {
	Installer string `json:"installer"`
	Text      string `json:"text"`
}

type answer struct {
	Read  any    `json:"read,omitempty"`
	Error string `json:"error,omitempty"`
}

var installers = map[string]func(string) (any, error){
	"kind":    readKind,
	"kubeadm": readKubeadm,
	"talos":   readTalos,
}

func main() {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	questions := json.NewDecoder(in)
	buffered := bufio.NewWriter(out)
	answers := json.NewEncoder(buffered)
	for {
		var asked question
		if err := questions.Decode(&asked); err == io.EOF {
			return buffered.Flush()
		} else if err != nil {
			return err
		}
		read, known := installers[asked.Installer]
		if !known {
			return fmt.Errorf("no installer is called %q", asked.Installer)
		}
		var given answer
		if value, err := read(asked.Text); err != nil {
			given.Error = err.Error()
		} else {
			given.Read = value
		}
		if err := answers.Encode(given); err != nil {
			return err
		}
	}
}

// readKubeadm does what `kubeadm config validate` does, but for what it asks of the host and of the
// network.
func readKubeadm(text string) (any, error) {
	documents, err := kubeadmutil.SplitConfigDocuments([]byte(text))
	if err != nil {
		return nil, err
	}
	read := map[string]any{}
	for kind, document := range documents {
		switch kind.Kind {
		case "ClusterConfiguration":
			cluster := &kubeadm.ClusterConfiguration{}
			if err := decode(kind, document, cluster); err != nil {
				return nil, err
			}
			if err := validation.ValidateClusterConfiguration(cluster).ToAggregate(); err != nil {
				return nil, err
			}
			out := &v1beta4.ClusterConfiguration{}
			if err := scheme.Scheme.Convert(cluster, out, nil); err != nil {
				return nil, err
			}
			read["cluster"] = out
		case "InitConfiguration":
			start := &kubeadm.InitConfiguration{}
			if err := decode(kind, document, start); err != nil {
				return nil, err
			}
			read["skipPhases"] = start.SkipPhases
		case "KubeProxyConfiguration":
			proxy := &kubeproxy.KubeProxyConfiguration{}
			if err := yaml.UnmarshalStrict(document, proxy); err != nil {
				return nil, err
			}
			read["proxy"] = proxy
		default:
			return nil, fmt.Errorf("kubeadm ignores %s", kind)
		}
	}
	if read["cluster"] == nil {
		return nil, fmt.Errorf("there is no ClusterConfiguration")
	}
	return read, nil
}

func decode(kind schema.GroupVersionKind, document []byte, into runtime.Object) error {
	schemes := []*runtime.Scheme{scheme.Scheme}
	if err := strict.VerifyUnmarshalStrict(schemes, kind, document); err != nil {
		return err
	}
	return runtime.DecodeInto(scheme.Codecs.UniversalDecoder(), document, into)
}

type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return false }
func (metal) InContainer() bool     { return false }

func readTalos(text string) (any, error) {
	patch, err := configpatcher.LoadPatch([]byte(text))
	if err != nil {
		return nil, err
	}
	input, err := generate.NewInput("made", "https://192.0.2.1:6443", "1.34.0",
		generate.WithVersionContract(config.TalosVersionCurrent))
	if err != nil {
		return nil, err
	}
	made, err := input.Config(machine.TypeControlPlane)
	if err != nil {
		return nil, err
	}
	patched, err := configpatcher.Apply(configpatcher.WithConfig(made), []configpatcher.Patch{patch})
	if err != nil {
		return nil, err
	}
	result, err := patched.Config()
	if err != nil {
		return nil, err
	}
	if _, err := result.Validate(metal{}); err != nil {
		return nil, err
	}
	bytes, err := patched.Bytes()
	if err != nil {
		return nil, err
	}
	var read any
	return read, talosyaml.Unmarshal(bytes, &read)
}

// readKind decodes as pkg/internal/apis/config/encoding of kind does.
func readKind(text string) (any, error) {
	decoder := talosyaml.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.KnownFields(true)
	cluster := &v1alpha4.Cluster{}
	if err := decoder.Decode(cluster); err != nil {
		return nil, err
	}
	if cluster.APIVersion != "kind.x-k8s.io/v1alpha4" || cluster.Kind != "Cluster" {
		return nil, fmt.Errorf("%s %s is not read by kind", cluster.APIVersion, cluster.Kind)
	}
	for _, patch := range cluster.KubeadmConfigPatches {
		var target struct{ Kind string }
		if err := yaml.Unmarshal([]byte(patch), &target); err != nil {
			return nil, err
		}
		if target.Kind == "" {
			return nil, fmt.Errorf("a patch names no kind")
		}
	}
	v1alpha4.SetDefaultsCluster(cluster)
	return cluster, nil
}
