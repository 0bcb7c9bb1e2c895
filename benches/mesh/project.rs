//! A mesh of any size as the files of a project.
//!
//! The largest mesh that Cilium allows has 511 clusters; here it carries 2,000 applications with
//! 10,000 services in 2 to 4 clusters each, and 20,000 flows. Smaller ones have as much for each
//! cluster.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The most clusters of a mesh.
pub(crate) const MOST: usize = 511;
const APPLICATIONS: usize = 2_000;
const SERVICES_EACH: usize = 5;
const FLOWS_EACH: usize = 10;
const REGIONS: usize = 16;

/// How large a mesh is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) clusters: usize,
    pub(crate) applications: usize,
}

impl Size {
    pub(crate) fn of(clusters: usize) -> Self {
        Self { clusters, applications: (APPLICATIONS * clusters / MOST).max(2) }
    }

    pub(crate) fn services(self) -> usize {
        self.applications * SERVICES_EACH
    }

    pub(crate) fn flows(self) -> usize {
        self.applications * FLOWS_EACH
    }
}

/// Writes the project into an empty folder.
pub(crate) fn write(folder: &Path, size: Size) {
    write_with(folder, size, cluster);
}

/// The project with mixed minors, members and others, both families of addresses, and ranges
/// that are another cluster's too.
pub(crate) fn write_messy(folder: &Path, size: Size) {
    write_with(folder, size, |number| {
        let mut text = cluster(number);
        match number % 4 {
            0 => text.push_str("  versions: {cilium: 1.18.12}\n"),
            1 => text.push_str("  versions: {cilium: 1.20.2}\n"),
            _ => {}
        }
        if number % 7 == 3 {
            text.push_str("  mesh: false\n");
        }
        let own = text.find("  podCIDRs: [").expect("it has pods") + "  podCIDRs: [".len();
        match number % 5 {
            0 => text.insert_str(own, &format!("\"fd00:{number:x}::/104\", ")),
            1 => text.insert_str(own, "100.64.0.0/24, "),
            2 => text = text.replace("serviceCIDRs: [172.", "serviceCIDRs: [10."),
            _ => {}
        }
        text
    });
}

/// The project with five hand-written policies for every two applications: expressions, addresses
/// with exceptions, HTTP and denials.
pub(crate) fn write_by_hand(folder: &Path, size: Size) {
    write(folder, size);
    let mut sets = String::from("  manifests:\n");
    let mut texts = vec![String::new(); size.clusters];
    for number in 0..size.applications {
        texts[number % size.clusters].push_str(&by_hand(number));
    }
    for (number, text) in texts.into_iter().enumerate() {
        let name = cluster_name(number);
        put(folder, &format!("manifests/{name}.yaml"), text);
        let _ = writeln!(sets, "    - {{files: [manifests/{name}.yaml], clusters: [{name}]}}");
    }
    put(folder, "landbridge.yaml", topology(size) + &sets);
}

/// The hand-written policies of an application in the first of its clusters.
fn by_hand(number: usize) -> String {
    let head = |name: &str| {
        format!(
            "---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: {name}, namespace: app-{number:04}}}
spec:
"
        )
    };
    let mut text = head("no-sandbox");
    text.push_str(
        "  endpointSelector: {matchExpressions: [{key: app, operator: In, values: [w0, w1, w2]}]}
  ingressDeny:
    - fromEndpoints:
        - matchExpressions:
            - {key: io.kubernetes.pod.namespace, operator: In, values: [sandbox, legacy]}
            - {key: io.cilium.k8s.policy.cluster, operator: Exists}
",
    );
    text.push_str(&head("no-office"));
    let _ = write!(
        text,
        "  endpointSelector: {{matchLabels: {{app: w3}}, matchExpressions: [{{key: tier, operator: NotIn, values: [edge]}}]}}
  egressDeny:
    - toCIDRSet: [{{cidr: 192.168.0.0/16, except: [192.168.{}.0/24]}}]
      toPorts: [{{ports: [{{port: '1', endPort: 1023, protocol: TCP}}]}}]
",
        number % 256
    );
    if number.is_multiple_of(2) {
        text.push_str(&head("reads"));
        text.push_str(
            "  endpointSelector: {matchLabels: {app: w1}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: w0}}]
      toPorts: [{ports: [{port: '8080', protocol: TCP}], rules: {http: [{method: GET, path: /api/.*}]}}]
",
        );
    }
    text
}

fn put(folder: &Path, path: &str, text: String) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("a folder");
    fs::write(path, text).expect("the file can be written");
}

fn write_with(folder: &Path, size: Size, cluster: impl Fn(usize) -> String) {
    let put = |path: String, text: String| put(folder, &path, text);
    put("landbridge.yaml".into(), topology(size));
    for number in 0..size.clusters {
        put(format!("clusters/{}.yaml", cluster_name(number)), cluster(number));
    }
    for number in 0..size.applications {
        let team = number / 20;
        put(format!("apps/team-{team:03}/app-{number:04}.yaml"), application(number, size));
    }
}

fn cluster_name(number: usize) -> String {
    format!("c{number:03}")
}

fn region(number: usize) -> usize {
    number % REGIONS
}

/// The range of a cluster's network: one of 512 in `10.0.0.0/8`.
fn network(number: usize) -> String {
    format!("10.{}.{}", number / 2, number % 2 * 128)
}

fn topology(size: Size) -> String {
    let mut text = String::from(
        "apiVersion: landbridge.dev/v1alpha1
kind: Topology
metadata: {name: mesh}
spec:
  include: [\"clusters/*.yaml\", \"apps/**/*.yaml\"]
  versions: {kubernetes: 1.34.2, cilium: 1.19.6, certManager: 1.20.3}
  mesh:
    maxConnectedClusters: 511
    encryption: {type: wireguard}
    discovery: {globalServices: true, mcs: true}
    defaultDeny: [ingress, egress]
  clusterDefaults:
    kubeProxy: replaced
    distribution: kubeadm
    loadBalancers: {controller: aws-load-balancer-controller}
  regions:
",
    );
    for region in 0..REGIONS.min(size.clusters) {
        let _ = writeln!(text, "    region-{region:02}:\n      provider: aws\n      networks:");
        for number in (region..size.clusters).step_by(REGIONS) {
            let network = network(number);
            let _ = writeln!(text, "        n{number:03}: {{cidrs: [{network}.0/17]}}");
        }
    }
    text.push_str("  interconnects:\n    - type: transit-gateway\n      between:\n");
    for number in 0..size.clusters {
        let _ = writeln!(text, "        - region-{:02}/n{number:03}", region(number));
    }
    text
}

fn cluster(number: usize) -> String {
    let (name, region, network) = (cluster_name(number), region(number), network(number));
    // One of 512 ranges in 100.64.0.0/10.
    let (second, third) = (64 + number / 8, number % 8 * 32);
    let services = format!("{}.{}", 20 + number / 256, number % 256);
    let id = number + 1;
    format!(
        "apiVersion: landbridge.dev/v1alpha1
kind: Cluster
metadata: {{name: {name}}}
spec:
  region: region-{region:02}
  network: n{number:03}
  id: {id}
  nodeCIDRs: [{network}.0/20]
  podCIDRs: [100.{second}.{third}.0/19]
  serviceCIDRs: [172.{services}.0/24]
  apiServer: {{host: api.{name}.internal, port: 6443}}
  clustermesh: {{endpoint: {{ips: [{network}.20]}}}}
"
    )
}

/// The clusters in which a workload of an application runs: 2 to 4, which the application's
/// workloads share.
fn clusters(application: usize, workload: usize, size: Size) -> String {
    // Far apart, and the same number of applications in each cluster.
    let stride = (size.clusters / 4).max(1);
    let count = (2 + (application + workload) % 3).min(size.clusters);
    let names = (0..count).map(|n| cluster_name((application + n * stride) % size.clusters));
    names.collect::<Vec<_>>().join(", ")
}

fn application(number: usize, size: Size) -> String {
    let name = |number: usize| format!("app-{number:04}");
    let mut text = format!(
        "apiVersion: landbridge.dev/v1alpha1\nkind: MeshApplication\nmetadata: {{name: {0}}}\nspec:\n  namespace: {0}\n  workloads:\n",
        name(number)
    );
    for workload in 0..SERVICES_EACH {
        let clusters = clusters(number, workload, size);
        let _ = writeln!(
            text,
            "    w{workload}: {{labels: {{app: w{workload}, team: t{}}}, clusters: [{clusters}]}}",
            number / 20
        );
    }
    text.push_str("  services:\n");
    for service in 0..SERVICES_EACH {
        let _ = writeln!(
            text,
            "    w{service}:\n      workload: w{service}\n      ports: [{{name: http, port: 80, targetPort: 8080}}]\n      global: {{affinity: local, shared: true}}\n      export: {}",
            service == 0
        );
    }
    let other = |step: usize| name((number + step) % size.applications);
    let _ = write!(
        text,
        "  flows:
    one: {{from: [w0], to: [w1]}}
    two: {{from: [w1], to: [w2, w3]}}
    three: {{from: [{{workload: w2}}, {{workload: w3}}], to: [{{service: w4}}]}}
    four: {{from: [{{workload: w4, clusters: [{home}]}}], to: [w0]}}
    next: {{from: [w0], to: [{next}/w0]}}
    far: {{from: [w1], to: [{{service: {far}/w1}}]}}
    read: {{from: [{far}/w4], to: [{{workload: w2}}], ports: [8080], http: [{{method: GET, pathPrefix: /api}}]}}
    bank: {{from: [w3], to: [{{fqdn: [api.example.com, \"*.example.net\"]}}], ports: [443]}}
    users: {{from: [{{entity: ingress}}], to: [{{workload: w0}}], ports: [8080]}}
    scrape: {{from: [{{namespace: monitoring, labels: {{app.kubernetes.io/name: prometheus}}}}], to: [{{namespace: same}}], ports: [9090, 60000-61000/UDP]}}
",
        home = cluster_name(number % size.clusters),
        next = other(1),
        far = other(7),
    );
    text
}
