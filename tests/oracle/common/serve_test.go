package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// broken panics when it is asked about port 1, and refuses every policy.
type broken struct{}

func (broken) Version() string                               { return "0" }
func (broken) Open(Settings, Cluster, Outside) (View, error) { return broken{}, nil }
func (broken) Add(json.RawMessage) error                     { return errors.New("no") }
func (broken) Load([]Peer) error                             { return nil }
func (broken) Close()                                        {}
func (broken) Ask(_, _ Peer, _ bool, port uint16, _ string) (Verdict, error) {
	if port == 1 {
		panic("port 1")
	}
	return Verdict{Verdict: Allowed}, nil
}

func answers(t *testing.T, input string) []Answer {
	t.Helper()
	var output bytes.Buffer
	if err := serve(broken{}, strings.NewReader(input), &output); err != nil {
		t.Fatal(err)
	}
	var found []Answer
	decoder := json.NewDecoder(&output)
	for decoder.More() {
		var one Answer
		if err := decoder.Decode(&one); err != nil {
			t.Fatal(err)
		}
		found = append(found, one)
	}
	return found
}

const mesh = `"clusters":[{"name":"a","id":1}],"identities":[{"id":"p","cluster":"a","namespace":"n"},{"id":"w","reserved":"world"}]`

func TestAPanicIsTheAnswerToOneQuestion(t *testing.T) {
	found := answers(t, `{"id":"x",`+mesh+`,"policies":[{"object":{}}],"flows":[{"from":"p","to":"w","port":1,"protocol":"TCP"},{"from":"w","to":"p","port":2,"protocol":"TCP"}]}`)
	flows := found[0].Flows
	if flows[0].Egress.Verdict != Failed || flows[0].Egress.Error != "panic: port 1" || flows[0].Ingress.Verdict != Unpoliced {
		t.Errorf("the panic became %+v", flows[0])
	}
	if flows[1].Ingress.Verdict != Allowed {
		t.Errorf("after the panic: %+v", flows[1])
	}
	if found[0].Policies[0].Refused != "no" {
		t.Errorf("the policy: %+v", found[0].Policies[0])
	}
}

func TestWhatIsNoCaseIsAnAnswerAndTheNextCaseIsRead(t *testing.T) {
	found := answers(t, strings.Join([]string{
		"{",
		`{"id":"unknown",` + mesh + `,"flows":[{"from":"p","to":"q","port":1,"protocol":"TCP"}]}`,
		`{"id":"zero",` + mesh + `,"flows":[{"from":"p","to":"w","port":0,"protocol":"TCP"}]}`,
		`{"id":"fine",` + mesh + `}`,
	}, "\n"))
	if len(found) != 4 {
		t.Fatalf("%d answers", len(found))
	}
	for i, answer := range found {
		if (answer.Error == "") != (i == 3) {
			t.Errorf("answer %d: %+v", i, answer)
		}
	}
}

func TestOwnLabelsOfAPodWin(t *testing.T) {
	asked := Case{
		Clusters:   []Cluster{{"a", 2}},
		Namespaces: []Namespace{{"a", "n", map[string]string{"kubernetes.io/metadata.name": "lie", "team": "x"}}},
		Identities: []Identity{{ID: "p", Cluster: "a", Namespace: "n", Labels: map[string]string{"io.cilium.k8s.policy.cluster": "lie"}}},
	}
	peers, err := asked.peers()
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{}
	for _, label := range peers["p"].Known {
		given[label.Key] = label.Value
	}
	for key, value := range map[string]string{
		"io.cilium.k8s.policy.cluster":                               "a",
		"io.cilium.k8s.policy.serviceaccount":                        "default",
		"io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name": "n",
		"io.cilium.k8s.namespace.labels.team":                        "x",
	} {
		if given[key] != value {
			t.Errorf("%s is %q", key, given[key])
		}
	}
	if peers["p"].Number>>16 != 2 {
		t.Errorf("the number %d is of another cluster", peers["p"].Number)
	}
}

func TestAReasonHasTheSameWordsEachTime(t *testing.T) {
	for _, text := range []string{"combining A and B is not supported yet", "combining B and A is not supported yet"} {
		if given := reason(errors.New(text)); given != "combining A and B is not supported yet" {
			t.Error(given)
		}
	}
}

func TestASecurityGroupIsFoundByItsIDAndName(t *testing.T) {
	outside := Outside{Groups: []SecurityGroup{{"sg-1", "web", []string{"192.0.2.1"}}, {"sg-2", "db", []string{"2001:db8::1"}}}}
	for _, one := range []struct {
		ids, names []string
		found      int
	}{{nil, nil, 0}, {[]string{"sg-1"}, nil, 1}, {[]string{"sg-1", "sg-2"}, nil, 2}, {[]string{"sg-1"}, []string{"db"}, 0}, {nil, []string{"db"}, 1}} {
		if found := outside.Group(one.ids, one.names); len(found) != one.found {
			t.Errorf("%v %v: %v", one.ids, one.names, found)
		}
	}
}
