use proptest::prelude::*;

use super::*;
use crate::yaml::json::json;
use crate::yaml::{self, Value};

const CONFIG: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: flux-system}
data:
  POD_CIDR: 100.64.0.0/16
  PORT: \"8080\"
  CIDRS: '[10.0.0.0/8, 10.1.0.0/16]'
  PAIR: 'a: b'
  KEY: replaced
  LINES: |
    a
    b
  NOTHING: ''
  QUOTE: '\"'
";

struct Read {
    sources: SourceMap,
    manifests: Vec<Manifest>,
    found: Diagnostics,
}

impl Read {
    /// Findings as `line:column code message`, then what was not checked.
    fn found(&self) -> Vec<String> {
        let place = |span: Span| {
            let (line, column) = self.sources.get(span.source).position(span.start as usize);
            format!("{line}:{column}")
        };
        let findings = self
            .found
            .iter()
            .map(|d| format!("{} {} {}", place(d.primary.span), d.rule.code, d.message));
        let unchecked = self.found.unchecked();
        let unchecked = unchecked
            .iter()
            .map(|n| format!("{} not checked {}: {}", place(n.span), n.what, n.why));
        findings.chain(unchecked).collect()
    }

    fn names(&self) -> Vec<String> {
        self.manifests.iter().map(Manifest::describe).collect()
    }

    fn texts(&self, span: Span) -> &str {
        &self.sources.get(span.source).text()[span.range()]
    }
}

fn read_as(name: &str, text: &str, config: Option<&str>) -> Read {
    let mut sources = SourceMap::new();
    let mut found = Diagnostics::new();
    let variables = config.map(|config| {
        let id = sources.add("clusters/use1/settings.yaml", config);
        Variables::read(&sources, id, &mut found)
    });
    let id = sources.add(name, text);
    let manifests = read(&sources, id, variables.as_ref(), &mut found);
    Read { sources, manifests, found }
}

fn plain(text: &str) -> Read {
    read_as("extra/use1/objects.yaml", text, None)
}

fn with_variables(text: &str) -> Read {
    read_as("extra/use1/objects.yaml", text, Some(CONFIG))
}

/// The JSON of `spec.x` of an object in which it is written as given.
fn value_of(written: &str) -> Result<String, Vec<String>> {
    let text =
        format!("apiVersion: v1\nkind: Thing\nmetadata: {{name: a}}\nspec:\n  x: {written}\n");
    let read = with_variables(&text);
    match (read.found().as_slice(), read.manifests.as_slice()) {
        ([], [object]) => Ok(json(object.at(&["spec", "x"]).unwrap()).to_string()),
        (found, _) => Err(found.to_vec()),
    }
}

#[test]
fn objects_know_their_places() {
    let read = plain(
        "# a Service\napiVersion: v1\nkind: Service\nmetadata:\n  name: db\n  namespace: shop\n  \
         annotations:\n    io.cilium/global-service: \"true\"\n  labels: {app: db}\n---\n---\n~\n---\n\
         {\"apiVersion\": \"cilium.io/v2\", \"kind\": \"CiliumNode\",\t\"metadata\": {\"name\": \"n\"}}\n",
    );
    assert_eq!(read.found(), [""; 0]);
    assert_eq!(read.names(), ["Service/shop/db", "CiliumNode/n"]);
    let [service, node] = &*read.manifests else { panic!("two objects") };
    assert!(service.is("", "Service") && node.is("cilium.io", "CiliumNode"));
    assert_eq!((service.version(), node.version()), ("v1", "v2"));
    assert_eq!(read.texts(service.name.span), "db");
    let notes: Vec<_> = service.annotations().chain(service.labels()).collect();
    assert_eq!(read.texts(notes[0].key_span), "io.cilium/global-service");
    assert_eq!((notes[0].value.text(), notes[1].key), (Some("true"), "app"));
}

#[test]
fn lists_are_taken_apart() {
    let read = plain(
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}}\n\
         - apiVersion: cilium.io/v2\n  kind: CiliumNetworkPolicyList\n  items:\n  - metadata: {name: b}\n\
         - {apiVersion: v1, kind: Secret, metadata: {name: c}}\n- 3\n---\n\
         {apiVersion: v1, kind: List, items: }\n---\n{apiVersion: v1, kind: List, items: {}}\n---\n\
         {apiVersion: x.io/v1, kind: AllowList, metadata: {name: d}}\n",
    );
    assert_eq!(read.names(), ["Service/a", "CiliumNetworkPolicy/b", "AllowList/d"]);
    assert_eq!(read.manifests[1].group(), "cilium.io");
    assert_eq!(
        read.found(),
        [
            "10:3 LB0012 expected a Kubernetes object, found a number",
            "14:37 LB0012 the `items` of a List are no list",
        ]
    );
}

#[test]
fn what_is_no_object_is_found() {
    for (text, expected) in [
        ("- a\n", "1:1 LB0012 expected a Kubernetes object, found a list"),
        ("kind: A\nmetadata: {name: a}\n", "1:1 LB0012 the object has no `apiVersion`"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "1:1 LB0012 the object has no `kind`"),
        ("apiVersion: v1\nkind: A\n", "1:1 LB0012 the object has no `metadata`"),
        ("apiVersion: v1\nkind: A\nmetadata: {}\n", "3:11 LB0012 the object has no `name`"),
        (
            "apiVersion: v1\nkind: A\nmetadata: {name: 1}\n",
            "3:18 LB0012 expected text as `name`, found a number",
        ),
        (
            "apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: [b]}\n",
            "3:32 LB0012 expected text as `namespace`, found a list",
        ),
        (
            "apiVersion: v1\nkind: A\nmetadata: {generateName: a-}\n",
            "3:12 LB0012 an object with `generateName` has no name of its own",
        ),
    ] {
        let read = plain(text);
        assert_eq!(read.found(), [expected], "{text}");
        assert!(read.manifests.is_empty(), "{text}");
    }
}

#[test]
fn what_kustomize_reads_itself_is_passed_over() {
    let text = "resources: [a.yaml]\n";
    assert!(read_as("extra/kustomization.yaml", text, None).found.is_empty());
    let text = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";
    assert!(plain(text).found.is_empty());
    let text = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
                metadata: {name: apps}\n";
    assert_eq!(plain(text).names(), ["Kustomization/apps"]);
}

#[test]
fn nothing_of_a_secret_is_kept_or_shown() {
    for text in [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: hunter2}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nsops: {mac: hunter2}\n",
    ] {
        let read = plain(text);
        assert!(read.manifests.is_empty() && read.found.is_empty(), "{text}");
    }
    for text in [
        "kind: Secret\nstringData:\n  p: *hunter2\n",
        "kind: Secret\nstringData:\n  hunter2: 1\n  hunter2: 2\n",
        "{\"kind\":\"Secret\",\"data\":{\"p\":\"hunter2\"\n",
        "a: 1\n---\nkind:   'Secret'\ndata: [hunter2\n",
        "kind: List\nitems:\n- kind: Secret\n  data: \"hunter2\n",
    ] {
        let read = plain(text);
        let mut reported = read.found.iter().filter(|d| d.rule.code != "LB0012");
        assert!(reported.next().is_none(), "{text}: {:?}", read.found());
        let unchecked = read.found.unchecked();
        assert_eq!(unchecked.len(), 1, "{text}");
        assert!(!format!("{unchecked:?}").contains("hunter2"), "{text}");
    }
    let shown = plain("kind: Secret\n---\nkind: SecretStore\na: [1\n");
    assert_eq!(shown.found.iter().filter(|d| d.rule.code == "LB0001").count(), 1);
}

#[test]
fn what_is_encrypted_is_not_checked() {
    let read = plain(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\nsops: {mac: x}\n",
    );
    assert_eq!(read.found(), ["1:1 not checked ConfigMap/b/a: it is encrypted with SOPS"]);
    assert!(read.manifests.is_empty());
}

#[test]
fn values_become_what_flux_makes_of_them() {
    for (written, expected) in [
        ("${POD_CIDR}", "\"100.64.0.0/16\""),
        // Flux writes the object anew: quotes that YAML does not need are gone.
        ("${PORT}", "8080"),
        ("\"${PORT}\"", "8080"),
        ("'${PORT}'", "8080"),
        ("'p: ${PORT}'", "\"p: 8080\""),
        ("\"a\\t${PORT}\"", "\"a\\t8080\""),
        ("[\"${PORT}\", x]", "[8080,\"x\"]"),
        ("${CIDRS}", "[\"10.0.0.0/8\",\"10.1.0.0/16\"]"),
        (
            "{a: \"${CIDRS}\", \"${KEY}\": 1}",
            "{\"a\":[\"10.0.0.0/8\",\"10.1.0.0/16\"],\"replaced\":1}",
        ),
        ("[\"${PAIR}\"]", "[{\"a\":\"b\"}]"),
        ("${LINES}", "\"ab\""),
        ("${NOTHING}", "null"),
        ("x${NOTHING}", "\"x\""),
        ("a $$ b $PORT", "\"a $ b $PORT\""),
        ("|\n    a: ${PORT}\n      b\n\n    c", "\"a: 8080\\n  b\\n\\nc\\n\""),
        ("|-\n    ${PAIR}\n    b", "\"a: b\\nb\""),
        ("\"\\n ${PORT}\\n\\n\"", "\"\\n 8080\\n\\n\""),
        ("${X:=a}-${PORT}", "\"a-8080\""),
        ("${PORT} # ${X}", "8080"),
    ] {
        assert_eq!(value_of(written), Ok(expected.to_owned()), "{written}");
    }
}

#[test]
fn what_flux_would_fail_on_is_found() {
    for (written, expected) in [
        ("${PORT-1}", "5:6 LB0018 Flux cannot read the variable: a `}` is missing"),
        ("${PAIR}", "5:6 LB0018 with its variables replaced, the value cannot be read"),
        ("'x: ${QUOTE}'", "Ok"),
        ("\"\\t${QUOTE}\"", "5:6 LB0018 with its variables replaced, the value cannot be read"),
        ("{\"${KEY}\": 1, replaced: 2}", "LB0018"),
        ("{\"${CIDRS}\": 1}", "LB0018"),
    ] {
        match value_of(written) {
            Ok(_) => assert_eq!(expected, "Ok", "{written}"),
            Err(found) => {
                assert_eq!(found.len(), 1, "{written}");
                assert!(found[0].contains(expected), "{written}: {found:?}");
            }
        }
    }
}

#[test]
fn an_object_with_an_unknown_variable_is_left_out_alone() {
    let object = |name: &str, value: &str| {
        format!("apiVersion: v1\nkind: Thing\nmetadata: {{name: {name}}}\nspec: \"{value}\"\n---\n")
    };
    let text = object("a", "${X} ${Y} ${X}")
        + &object("b", "${PORT}")
        + &object("c", "${A[0]}")
        + &object("d", "${PORT#[8]}");
    let read = with_variables(&text);
    assert_eq!(read.names(), ["Thing/b"]);
    assert_eq!(
        read.found(),
        [
            "14:7 LB0018 Flux cannot read the variable: a `}` is missing",
            "4:7 not checked Thing/a: the variables `X`, `Y` are not in \
             `clusters/use1/settings.yaml`",
            "19:7 not checked Thing/d: a variable in it is not replaced here: \
             it matches a pattern with `[` or `\\`",
        ]
    );
}

#[test]
fn replaced_values_keep_the_place_of_what_was_written() {
    let text = "apiVersion: v1\nkind: Thing\nmetadata: {name: \"é-${KEY}\"}\nspec:\n  \
                before: 1\n  cidrs: ${CIDRS}\n  ${KEY}: x\n  after: 2\n";
    let read = with_variables(text);
    let object = &read.manifests[0];
    assert_eq!((&*object.name.value, read.texts(object.name.span)), ("é-replaced", "\"é-${KEY}\""));
    let cidrs = object.at(&["spec", "cidrs"]).unwrap();
    assert_eq!(read.texts(cidrs.items().unwrap()[1].span), "${CIDRS}");
    let replaced = object.at(&["spec"]).unwrap().entry("replaced").unwrap();
    assert_eq!(read.texts(replaced.key_span), "${KEY}");
    assert_eq!(read.texts(object.at(&["spec", "after"]).unwrap().span), "2");
}

#[test]
fn without_a_declaration_variables_are_kept_and_reported() {
    let text = "apiVersion: v1\nkind: Thing\nmetadata: {name: a}\nspec: {x: \"$${A} ${A:=b}\"}\n";
    let read = plain(text);
    assert_eq!(
        read.found(),
        ["4:11 not checked Thing/a: it has `${A}` and no `substitute` is declared"]
    );
    assert_eq!(read.manifests[0].at(&["spec", "x"]).unwrap().text(), Some("$${A} ${A:=b}"));
    let script = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: \"echo ${A}\"}\n";
    assert!(plain(script).found.is_empty());
}

#[test]
fn an_object_that_switches_it_off_is_left_alone() {
    for which in ["labels", "annotations"] {
        let text = format!(
            "apiVersion: v1\nkind: Thing\nmetadata: {{name: a, {which}: \
             {{kustomize.toolkit.fluxcd.io/substitute: disabled}}}}\nspec: $$ ${{X-y}}\n"
        );
        for read in [with_variables(&text), plain(&text)] {
            assert!(read.found.is_empty(), "{:?}", read.found());
            assert_eq!(read.manifests[0].at(&["spec"]).unwrap().text(), Some("$$ ${X-y}"));
        }
    }
}

#[test]
fn variables_come_from_one_config_map() {
    let object = "apiVersion: v1\nkind: Thing\nmetadata: {name: a}\nspec: ${A}\n";
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n";
    for (config, expected) in [
        (
            format!("{map}data: {{A: 1, b-c: x}}\n"),
            vec![
                "4:11 LB0003 `1` without quotes is not text",
                "4:14 LB0007 Flux refuses the variable name `b-c`",
                "4:7 not checked Thing/a: `clusters/use1/settings.yaml` has no variables, \
                 with which Flux replaces nothing",
            ],
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: m}\nstringData: {A: x}\n".to_owned(),
            vec![
                "1:1 LB0012 the file has no ConfigMap that could be read",
                "4:7 not checked Thing/a: the variables of `clusters/use1/settings.yaml` could \
                 not be read",
            ],
        ),
        (
            format!("{map}sops: {{mac: x}}\ndata: {{A: x}}\n"),
            vec![
                "1:1 not checked ConfigMap/m: it is encrypted with SOPS",
                "4:7 not checked Thing/a: the variables of `clusters/use1/settings.yaml` could \
                 not be read",
            ],
        ),
        (
            format!("{map}data: {{A: x}}\n---\n{map}data: {{B: x}}\n"),
            vec!["8:18 LB0012 a second ConfigMap stands in a file that is named for its variables"],
        ),
    ] {
        let read = read_as("a.yaml", object, Some(&config));
        assert_eq!(read.found(), expected, "{config}");
    }
}

#[test]
fn hostile_files_end_in_a_finding() {
    let object = |value: &str| {
        format!("apiVersion: v1\nkind: Thing\nmetadata: {{name: a}}\nspec: {value}\n")
    };
    let open = with_variables(&object(&format!("\"{}\"", "${".repeat(1_000_000))));
    assert_eq!(open.found.len(), 1);
    let list = object(&"\n- ${KEY}".repeat(substitute::MAX_STRINGS + 1));
    let many = with_variables(&format!("{list}---\n{}", object("${KEY}")));
    assert_eq!(
        many.found(),
        ["100005:3 LB0018 replacing the variables of this file takes too much"]
    );
    let bomb = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  A: '[&a [x,x,x,x,x,\
                x,x,x,x,x], &b [*a,*a,*a,*a,*a,*a,*a,*a], &c [*b,*b,*b,*b,*b,*b,*b,*b]]'\n";
    let text = object(&"\n- ${A}".repeat(10_000));
    let read = read_as("a.yaml", &text, Some(bomb));
    assert_eq!(read.found.len(), 1, "{:?}", read.found());
    assert!(read.manifests.is_empty());
}

/// Every span of a tree.
fn spans(node: &Node, all: &mut Vec<Span>) {
    all.push(node.span);
    match &node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter().for_each(|item| spans(item, all)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| {
            all.push(entry.key_span);
            spans(&entry.value, all);
        }),
    }
}

proptest! {
    #[test]
    fn an_object_without_a_dollar_is_read_as_it_stands(value in "[ -#%-~é\n]{0,40}") {
        let quoted = serde_json::to_string(&value).unwrap();
        let text = format!("apiVersion: v1\nkind: A\nmetadata: {{name: a}}\n? {quoted}\n: {quoted}\n");
        let read = with_variables(&text);
        let id = read.manifests[0].span.source;
        let expected = yaml::parse(&read.sources, id, &mut Diagnostics::new());
        prop_assert_eq!(&read.manifests[0].node, &expected[0]);
    }

    #[test]
    fn places_stay_inside_the_file(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "${PORT}", "${CIDRS}", "${PAIR}", "${X:=", "}", "$$", "é", " ", ": ", "\n", "'", "a",
            ]),
            0..8,
        )
    ) {
        let quoted = serde_json::to_string(&parts.concat()).unwrap();
        let text = format!(
            "apiVersion: v1\nkind: A\nmetadata: {{name: a}}\nspec: [{quoted}, {{x: {quoted}}}]\n"
        );
        let read = with_variables(&text);
        let mut all: Vec<Span> = read.found.iter().map(|d| d.primary.span).collect();
        all.extend(read.found.unchecked().iter().map(|n| n.span));
        read.manifests.iter().for_each(|manifest| spans(&manifest.node, &mut all));
        for span in all {
            prop_assert!(text.get(span.range()).is_some(), "{:?}", span);
        }
    }
}
