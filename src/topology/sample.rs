//! Topologies for unit tests, from YAML text.

use super::Topology;
use super::resolve::resolve;
use crate::diagnostic::Diagnostics;
use crate::source::SourceMap;
use crate::spec::load;
use crate::system::memory::MemorySystem;

/// The clusters of both samples.
macro_rules! clusters {
    () => {
        r"---
apiVersion: landbridge.dev/v1alpha1
kind: Cluster
metadata: {name: use1}
spec:
  region: us-east-1
  id: 1
  nodeCIDRs: [10.0.1.0/24]
  podCIDRs: [100.64.0.0/16]
  serviceCIDRs: [10.96.0.0/16]
  apiServer: {host: api.use1.internal, port: 6443}
  clustermesh: {endpoint: {ips: [10.0.1.20]}}
---
apiVersion: landbridge.dev/v1alpha1
kind: Cluster
metadata: {name: euw1}
spec:
  region: eu-west-1
  id: 2
  nodeCIDRs: [10.1.1.0/24]
  podCIDRs: [100.65.0.0/16]
  serviceCIDRs: [10.97.0.0/16]
  apiServer: {host: api.euw1.internal, port: 6443}
  clustermesh: {endpoint: {ips: [10.1.1.20]}}
"
    };
}

/// A mesh of two clusters, `use1` and `euw1`, with one application in namespace `payments`.
pub(crate) const TWO_CLUSTERS: &str = concat!(
    r"
apiVersion: landbridge.dev/v1alpha1
kind: Topology
metadata: {name: test}
spec:
  versions: {kubernetes: 1.34.2, cilium: 1.19.6}
  mesh:
    encryption: {type: wireguard}
    discovery: {globalServices: true, mcs: true}
    defaultDeny: [ingress, egress]
  clusterDefaults:
    kubeProxy: replaced
    distribution: kubeadm
    loadBalancers: {controller: aws-load-balancer-controller}
  regions:
    us-east-1: {provider: aws, networks: {main: {cidrs: [10.0.0.0/16]}}}
    eu-west-1: {provider: aws, networks: {main: {cidrs: [10.1.0.0/16]}}}
",
    clusters!(),
    r"---
apiVersion: landbridge.dev/v1alpha1
kind: MeshApplication
metadata: {name: payments}
spec:
  namespace: payments
  workloads:
    payment-frontend: {labels: {app: payment-frontend}, clusters: [euw1]}
    fraud-detection: {labels: {app: fraud-detection}, clusters: [use1, euw1], serviceAccount: fraud}
  services:
    fraud-detection:
      workload: fraud-detection
      ports: [{name: http, port: 80, targetPort: 8080}]
      global: {affinity: local, shared: true}
      export: true
  flows:
    check-fraud: {from: [payment-frontend], to: [fraud-detection]}
"
);

/// The same mesh with an entrypoint by latency.
pub(crate) const ENTRYPOINT: &str = concat!(
    r"
apiVersion: landbridge.dev/v1alpha1
kind: Topology
metadata: {name: test}
spec:
  versions: {kubernetes: 1.34.2, cilium: 1.19.6}
  regions:
    us-east-1: {provider: aws, networks: {main: {cidrs: [10.0.0.0/16]}}}
    eu-west-1: {provider: aws, networks: {main: {cidrs: [10.1.0.0/16]}}}
  interconnects:
    - {between: [us-east-1, eu-west-1], type: vpc-peering}
  clusterDefaults:
    kubeProxy: replaced
    distribution: kubeadm
    loadBalancers: {controller: aws-load-balancer-controller}
  dns:
    zones:
      - {name: example.com, provider: route53, hostedZoneID: Z0123456789ABCDEFGHIJ}
  entrypoints:
    api.example.com:
      routing: latency
      targets:
        use1: {hostname: east.elb.us-east-1.amazonaws.com, healthCheckID: 11111111-2222}
        euw1: {hostname: west.elb.eu-west-1.amazonaws.com, healthCheckID: 33333333-4444}
",
    clusters!()
);

/// Resolves the text of a `landbridge.yaml`, with every finding as `file:line:column code message`.
pub(crate) fn resolved(text: &str) -> (Option<Topology>, Vec<String>) {
    resolved_with(text, &[])
}

/// The same with further files.
pub(crate) fn resolved_with(text: &str, files: &[(&str, &str)]) -> (Option<Topology>, Vec<String>) {
    let system = MemorySystem::new().with(load::ENTRY, text);
    let system = files.iter().fold(system, |system, (path, text)| system.with(*path, *text));
    let mut sources = SourceMap::new();
    let mut found = Diagnostics::new();
    let spec = load::project(&system, &mut sources, &mut found);
    let topology = resolve(&spec, &mut found);
    if let Some(topology) = &topology {
        crate::check::run(topology, &mut found);
    }
    found.sort();
    let lines = found
        .iter()
        .map(|d| format!("{} {} {}", sources.location(d.primary.span), d.rule.code, d.message));
    (topology, lines.collect())
}

/// What a rule finds where each of two clusters has manifests of its own, and where `changes` are
/// made in the text of the project.
pub(crate) fn with_manifests(
    code: &str,
    changes: &[(&str, &str)],
    east: &str,
    west: &str,
) -> Vec<String> {
    let sets = "spec:\n  manifests:\n    - {files: [use1.yaml], clusters: [use1]}\n    - {files: [euw1.yaml], clusters: [euw1]}\n  versions:";
    let text = TWO_CLUSTERS.replacen("spec:\n  versions:", sets, 1);
    let text = changes.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "the sample has no `{old}`");
        text.replace(old, new)
    });
    let (_, found) = resolved_with(&text, &[("use1.yaml", east), ("euw1.yaml", west)]);
    let own = found.iter().filter_map(|line| line.split_once(&format!(" {code} ")));
    own.map(|(_, message)| message.to_owned()).collect()
}

/// Rules about the choice of versions. Texts that show what is made under each minor choose old
/// ones on purpose.
const OF_VERSIONS: [&str; 4] = [" LB2034 ", " LB3004 ", " LB3005 ", " LB3006 "];

/// Resolves a text that must have no findings, unless about its choice of versions.
pub(crate) fn topology(text: &str) -> Topology {
    let (topology, mut found) = resolved(text);
    found.retain(|line| !OF_VERSIONS.iter().any(|code| line.contains(code)));
    assert!(found.is_empty(), "{found:#?}");
    topology.expect("a text without findings has a topology")
}
