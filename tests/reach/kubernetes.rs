//! What policies of Kubernetes mean, as the Kubernetes documentation ("Network Policies") and the
//! conformance tests of the network policy API describe it: three namespaces `x`, `y` and `z` with
//! the label `ns`, and in each the pods `a`, `b` and `c` with the label `pod`, which serve TCP and
//! UDP on 80 (`serve-80-tcp`) and 81. Each case is a policy about `x/a` alone, or about all of `x`.

use landbridge::diagnostic::Diagnostics;
use landbridge::manifest;
use landbridge::policy::Protocol;
use landbridge::reach::found::{self, Cluster};
use landbridge::reach::{EndpointId, Mesh, Party, Reach};
use landbridge::source::{SourceMap, Span};

const NAMESPACES: [&str; 3] = ["x", "y", "z"];
const PODS: [&str; 3] = ["a", "b", "c"];

fn pods() -> String {
    let mut all = Vec::new();
    for namespace in NAMESPACES {
        all.push(format!(
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: '{namespace}', labels: {{ns: \
             '{namespace}'}}}}\n"
        ));
        for pod in PODS {
            all.push(format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {pod}, namespace: '{namespace}', \
                 labels: {{pod: {pod}}}}}\nspec: {{containers: [{{ports: [{{containerPort: 80, name: \
                 serve-80-tcp}}, {{containerPort: 81, name: serve-81-tcp}}, {{containerPort: 80, \
                 protocol: UDP, name: serve-80-udp}}]}}]}}\n"
            ));
        }
    }
    all.concat()
}

fn mesh(policies: &str) -> Mesh {
    let mut sources = SourceMap::new();
    let id = sources.add("a.yaml", pods() + policies);
    let mut found = Diagnostics::new();
    let objects = manifest::read(&sources, id, None, &mut found);
    assert!(found.is_empty(), "{policies}");
    let version = found::settings::version("1.18").ok();
    let cluster = Cluster { name: "k".to_owned(), span: Span::start_of(id), objects, version };
    let found = found::mesh(&[cluster]).expect("a mesh");
    assert!(found.mesh.unread.is_empty(), "{:?}", found.mesh.unread);
    found.mesh
}

fn policy(spec: &str) -> String {
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: \
         x}}\nspec: {spec}\n"
    )
}

fn named(mesh: &Mesh, name: &str) -> EndpointId {
    let mut ids = mesh.endpoints().filter(|(_, one)| one.name == name).map(|(id, _)| id);
    ids.next().expect("a pod")
}

fn all() -> impl Iterator<Item = String> {
    NAMESPACES.iter().flat_map(|of| PODS.iter().map(move |pod| format!("{of}/{pod}")))
}

/// Those who reach `x/a` on a port.
fn reaching(mesh: &Mesh, protocol: Protocol, port: u16) -> Vec<String> {
    let reach = Reach::new(mesh);
    let to = Party::Endpoint(named(mesh, "x/a"));
    let open = |from: &String| {
        let from = Party::Endpoint(named(mesh, from));
        reach.opening(from, to).at(protocol, port).is_some()
    };
    all().filter(open).collect()
}

/// Those whom `x/a` reaches on a port.
fn reached(mesh: &Mesh, protocol: Protocol, port: u16) -> Vec<String> {
    let reach = Reach::new(mesh);
    let from = Party::Endpoint(named(mesh, "x/a"));
    let open = |to: &String| {
        let to = Party::Endpoint(named(mesh, to));
        reach.opening(from, to).at(protocol, port).is_some()
    };
    all().filter(open).collect()
}

const TCP: Protocol = Protocol::TCP;
const UDP: Protocol = Protocol::UDP;
const EVERYONE: &str = "x/a x/b x/c y/a y/b y/c z/a z/b z/c";

/// Specs, a port, and who reaches `x/a` on it.
const INGRESS: &[(&str, Protocol, u16, &str)] = &[
    ("{podSelector: {}, policyTypes: [Ingress]}", TCP, 80, ""),
    ("{podSelector: {}, policyTypes: [Ingress], ingress: []}", TCP, 80, ""),
    ("{podSelector: {}, ingress: [{}]}", TCP, 80, EVERYONE),
    ("{podSelector: {}, ingress: [{from: []}]}", TCP, 80, EVERYONE),
    ("{podSelector: {matchLabels: {pod: b}}}", TCP, 80, EVERYONE),
    (
        "{podSelector: {matchLabels: {pod: a}}, ingress: [{from: [{podSelector: {matchLabels: \
             {pod: b}}}]}]}",
        TCP,
        80,
        "x/b",
    ),
    ("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", TCP, 80, "x/a x/b x/c"),
    ("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}", TCP, 80, EVERYONE),
    (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: 'y'}}}]}]}",
        TCP,
        80,
        "y/a y/b y/c",
    ),
    (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: \
             {kubernetes.io/metadata.name: 'y'}}}]}]}",
        TCP,
        80,
        "y/a y/b y/c",
    ),
    (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: 'y'}}, \
             podSelector: {matchLabels: {pod: b}}}]}]}",
        TCP,
        80,
        "y/b",
    ),
    (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: 'y'}}}, \
             {podSelector: {matchLabels: {pod: b}}}]}]}",
        TCP,
        80,
        "x/b y/a y/b y/c",
    ),
    (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: ns, \
             operator: NotIn, values: [x]}]}, podSelector: {matchExpressions: [{key: pod, operator: \
             In, values: [a, b]}]}}]}]}",
        TCP,
        80,
        "y/a y/b z/a z/b",
    ),
    (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: ns, \
             operator: Exists}]}, podSelector: {matchExpressions: [{key: tier, operator: \
             DoesNotExist}, {key: pod, operator: NotIn, values: [b, c]}]}}]}]}",
        TCP,
        80,
        "x/a y/a z/a",
    ),
    ("{podSelector: {}, ingress: [{ports: [{port: 81}]}]}", TCP, 81, EVERYONE),
    ("{podSelector: {}, ingress: [{ports: [{port: 81}]}]}", TCP, 80, ""),
    ("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}", UDP, 80, ""),
    ("{podSelector: {}, ingress: [{ports: [{port: 80, protocol: UDP}]}]}", UDP, 80, EVERYONE),
    ("{podSelector: {}, ingress: [{ports: [{protocol: UDP}]}]}", UDP, 81, EVERYONE),
    ("{podSelector: {}, ingress: [{ports: [{port: serve-81-tcp}]}]}", TCP, 81, EVERYONE),
    ("{podSelector: {}, ingress: [{ports: [{port: serve-81-tcp}]}]}", TCP, 80, ""),
    ("{podSelector: {}, ingress: [{ports: [{port: nobody}]}]}", TCP, 80, ""),
    ("{podSelector: {}, ingress: [{ports: [{port: 79, endPort: 81}]}]}", TCP, 80, EVERYONE),
    ("{podSelector: {}, ingress: [{ports: [{port: 79, endPort: 81}]}]}", TCP, 82, ""),
    ("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}", TCP, 80, ""),
    ("{podSelector: {}, policyTypes: [Egress], egress: [{}]}", TCP, 80, EVERYONE),
];

#[test]
fn ingress_is_what_one_policy_allows() {
    for (spec, protocol, port, expected) in INGRESS {
        let reaching = reaching(&mesh(&policy(spec)), *protocol, *port).join(" ");
        assert_eq!(reaching, *expected, "{spec} on {protocol}/{port}");
    }
}

#[test]
fn egress_is_what_one_policy_allows() {
    let cases = [
        ("{podSelector: {}, policyTypes: [Egress]}", TCP, 80, ""),
        ("{podSelector: {}, egress: [{}]}", TCP, 80, "y/a y/b y/c z/a z/b z/c"),
        (
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: \
             {matchLabels: {ns: z}}}], ports: [{port: 80}]}]}",
            TCP,
            80,
            "z/a z/b z/c",
        ),
        (
            "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: \
             {pod: c}}}]}]}",
            UDP,
            81,
            "x/c",
        ),
        (
            "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: serve-80-tcp}]}]}",
            TCP,
            80,
            EVERYONE,
        ),
        ("{podSelector: {}, ingress: [{}]}", TCP, 80, EVERYONE),
    ];
    for (spec, protocol, port, expected) in cases {
        let reached = reached(&mesh(&policy(spec)), protocol, port).join(" ");
        assert_eq!(reached, expected, "{spec} on {protocol}/{port}");
    }
}

#[test]
fn policies_add_up_and_both_ends_count() {
    let from_b = "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {pod: b}}}]}]}";
    let from_y =
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: 'y'}}}]}]}";
    let both = policy(from_b) + &policy(from_y).replace("name: p,", "name: q,");
    assert_eq!(reaching(&mesh(&both), TCP, 80).join(" "), "x/b y/a y/b y/c");
    let silent = policy("{podSelector: {matchLabels: {pod: b}}, policyTypes: [Egress]}");
    let silent = silent.replace("namespace: x", "namespace: 'y'").replace("name: p,", "name: q,");
    let both = policy(from_y) + &silent;
    assert_eq!(reaching(&mesh(&both), TCP, 80).join(" "), "y/a y/c");
}

#[test]
fn addresses_have_exceptions() {
    let spec = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: \
                [10.1.0.0/16]}}], ports: [{port: 80}]}]}";
    let mesh = mesh(&policy(spec));
    let reach = Reach::new(&mesh);
    let to = Party::Endpoint(named(&mesh, "x/a"));
    for (address, expected) in
        [("10.2.0.1/32", true), ("10.1.2.3/32", false), ("11.0.0.1/32", false)]
    {
        let address = address.parse().expect("an address");
        let identity = landbridge::policy::Identity::address(address, false);
        let open = reach.opening(Party::Outside(&identity), to).at(TCP, 80).is_some();
        assert_eq!(open, expected, "{address}");
    }
}
