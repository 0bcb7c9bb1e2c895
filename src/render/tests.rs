use serde_json::{Value, json};

use super::*;
use crate::resource::{Document, Resource};
use crate::source::{SourceId, Span};

fn span(at: usize) -> Span {
    Span::new(SourceId::default(), at..at + 1)
}

fn body(api: &str, kind: &str, namespace: &str, name: &str) -> Value {
    let mut metadata = json!({ "name": name });
    if !namespace.is_empty() {
        metadata["namespace"] = json!(namespace);
    }
    json!({ "apiVersion": api, "kind": kind, "metadata": metadata })
}

fn object(kind: &str, namespace: &str, name: &str) -> Resource {
    let api = if kind.starts_with("Cilium") { "cilium.io/v2" } else { "v1" };
    Resource::object(body(api, kind, namespace, name), span(name.len()))
}

fn desired(resources: Vec<Resource>) -> Desired {
    let body = json!({ "cluster": { "name": "use1", "id": 1 } });
    let values = Document::new("cilium/values.yaml", body, span(0));
    let values = values.header(vec!["Cilium 1.19.6\nevil: true".into()]);
    Desired { cluster: "use1".into(), folder: "use1".into(), documents: vec![values], resources }
}

#[test]
fn a_document_may_be_json_or_a_stream() {
    let policy = json!({ "Version": "2012-10-17", "Statement": [] });
    let mut stream = Document::new("bootstrap/a.yaml", json!({ "a": 1 }), span(1));
    stream.bodies.push(json!({ "b": 2 }));
    let documents = vec![Document::new("iam/a.json", policy, span(0)), stream];
    let (cluster, folder) = ("use1".to_owned(), "use1".to_owned());
    let desired = Desired { cluster, folder, documents, resources: Vec::new() };
    let files = files(&desired).expect("nothing collides");
    let text = |path: &str| String::from_utf8(files[path].clone()).unwrap();
    let json = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": []\n}\n";
    assert_eq!(text("iam/a.json"), json);
    assert!(text("bootstrap/a.yaml").ends_with("not this file\na: 1\n---\nb: 2\n"));
    assert!(!text("kustomization.yaml").contains("bootstrap"));
    assert!(text("landbridge.lock").contains("  bootstrap/a.yaml\n"));
}

fn rendered(resources: Vec<Resource>) -> BTreeMap<String, String> {
    let files = files(&desired(resources)).expect("nothing collides");
    files.into_iter().map(|(path, text)| (path, String::from_utf8(text).unwrap())).collect()
}

fn findings(resources: Vec<Resource>) -> Vec<String> {
    let found = files(&desired(resources)).expect_err("something is wrong");
    let places = |d: &crate::diagnostic::Diagnostic| {
        let related = d.related.iter().map(|label| label.span.start);
        std::iter::once(d.primary.span.start).chain(related).collect::<Vec<_>>()
    };
    found.iter().map(|d| format!("{} {:?} {}", d.rule.code, places(d), d.message)).collect()
}

#[test]
fn every_kind_has_its_file() {
    let files = rendered(vec![
        object("CiliumNetworkPolicy", "payments", "b"),
        object("CiliumNetworkPolicy", "payments", "a"),
        object("CiliumNetworkPolicy", "web", "a"),
        object("CiliumClusterwideNetworkPolicy", "", "internet"),
        object("Service", "payments", "api"),
        object("ServiceExport", "payments", "api"),
        object("Namespace", "", "payments"),
        object("Namespace", "", "accounts"),
        object("ConfigMap", "payments", "x"),
        Resource::patch(body("v1", "Service", "ledger", "ledger-api"), span(1)),
        Resource::patch(body("v1", "Service", "ledger", "audit"), span(2)),
    ]);
    let paths: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "cilium/values.yaml",
            "clusterwide-policies/internet.yaml",
            "config-maps/payments.yaml",
            "kustomization.yaml",
            "landbridge.lock",
            "namespaces.yaml",
            "network-policies/payments.yaml",
            "network-policies/web.yaml",
            "service-exports/payments.yaml",
            "service-patches/ledger/audit.yaml",
            "service-patches/ledger/kustomization.yaml",
            "service-patches/ledger/ledger-api.yaml",
            "services/payments.yaml",
        ]
    );
    let head = "# made by landbridge from the topology; change that, not this file\n";
    assert_eq!(
        files["namespaces.yaml"],
        format!(
            "{head}apiVersion: v1\nkind: Namespace\nmetadata:\n  name: accounts\n---\n\
             apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n"
        )
    );
    assert_eq!(
        files["service-patches/ledger/kustomization.yaml"],
        format!(
            "{head}apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n\
             - path: audit.yaml\n- path: ledger-api.yaml\n"
        )
    );
    assert_eq!(
        files["kustomization.yaml"],
        format!(
            "{head}apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n\
             - clusterwide-policies/internet.yaml\n- config-maps/payments.yaml\n\
             - namespaces.yaml\n- network-policies/payments.yaml\n- network-policies/web.yaml\n\
             - service-exports/payments.yaml\n- services/payments.yaml\n"
        )
    );
    assert_eq!(
        files["cilium/values.yaml"],
        format!("{head}# Cilium 1.19.6\\u{{a}}evil: true\ncluster:\n  name: use1\n  id: 1\n")
    );
}

#[test]
fn the_order_of_resources_does_not_matter() {
    let mut resources = vec![
        object("Service", "payments", "b"),
        object("Service", "payments", "a"),
        object("Service", "web", "a"),
    ];
    let first = rendered(resources.clone());
    resources.reverse();
    assert_eq!(rendered(resources), first);
}

#[test]
fn a_cluster_without_objects_lists_none() {
    let files = rendered(Vec::new());
    assert!(files["kustomization.yaml"].ends_with("\nresources: []\n"));
}

#[test]
fn the_lock_names_every_other_file() {
    let files = files(&desired(vec![object("Service", "payments", "api")])).unwrap();
    let lock = lock::Lock::parse(&files[layout::LOCK]).unwrap();
    let named: Vec<_> = lock.files.keys().map(String::as_str).collect();
    assert_eq!(named, ["cilium/values.yaml", "kustomization.yaml", "services/payments.yaml"]);
    let digest = lock::Digest::of(&files["services/payments.yaml"]);
    assert!(lock.files["services/payments.yaml"].contains(&digest));
}

#[test]
fn two_resources_of_one_name_collide() {
    let twice = vec![
        object("Service", "payments", "api"),
        Resource::patch(body("v1", "Service", "payments", "api"), span(9)),
    ];
    assert_eq!(
        findings(twice),
        ["LB0014 [9, 3] the Service `payments/api` is made twice for the cluster `use1`"]
    );
    let other_group =
        Resource::object(body("serving.dev/v1", "Service", "payments", "api"), span(9));
    let text = &rendered(vec![other_group, object("Service", "payments", "api")])["services/payments.yaml"];
    assert_eq!(text.matches("name: api").count(), 2);
}

#[test]
fn two_resources_of_one_file_collide() {
    let folded = vec![object("ConfigMap", "A", "x"), object("ConfigMap", "a", "yy")];
    assert_eq!(
        findings(folded),
        ["LB0014 [2, 1] two resources of the cluster `use1` would be written to \
          `config-maps/a.yaml`"]
    );
    let patch = Resource::patch(body("v1", "Service", "ledger", "kustomization"), span(4));
    assert_eq!(
        findings(vec![patch]),
        ["LB0014 [4, 4] two resources of the cluster `use1` would be written to \
          `service-patches/ledger/kustomization.yaml`"]
    );
}

#[test]
fn a_name_that_leads_out_is_never_a_path() {
    for (kind, namespace, name) in [
        ("Service", "..", "api"),
        ("Service", "a/../..", "api"),
        ("CiliumClusterwideNetworkPolicy", "", "../../../etc/cron.d/x"),
        ("CiliumClusterwideNetworkPolicy", "", ""),
        ("../x", "payments", "api"),
        ("Service", "a\u{0}", "api"),
        ("Service", "a\u{1b}[2J", "api"),
    ] {
        let found = findings(vec![object(kind, namespace, name)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("LB0007"), "{found:?}");
        assert!(found[0].contains("internal error: `"), "{found:?}");
        assert!(!found[0].contains('\u{1b}'), "{found:?}");
    }
    let no_namespace = Resource::patch(body("v1", "Service", "", "api"), span(4));
    assert_eq!(findings(vec![no_namespace]).len(), 2);
    let cluster = Desired { folder: "../x".into(), ..desired(Vec::new()) };
    assert_eq!(files(&cluster).expect_err("it leads out").len(), 1);
}
