//! Very much of one thing.

use super::attack::{Attack, PROJECT};

fn refused(text: String) {
    let attack = Attack::new();
    attack.put("landbridge.yaml", text);
    attack.is_refused("landbridge.yaml:", "error");
}

fn many(number: usize, one: impl Fn(usize) -> String) -> String {
    (0..number).map(one).collect::<Vec<_>>().concat()
}

#[test]
fn wrong_items() {
    let items = many(500_000, |_| "a, ".to_owned());
    refused(PROJECT.replace("podCIDRs: [100.64", &format!("podCIDRs: [{items}100.64")));
    refused(PROJECT.replace("include: []", &format!("include: [{items}]")));
    let all = many(3_000_000, |_| "a,".to_owned());
    refused(PROJECT.replace("podCIDRs: [100.64", &format!("podCIDRs: [{all}100.64")));
}

#[test]
fn unknown_keys() {
    let keys = many(100_000, |n| format!("  regoin{n}: 1\n"));
    refused(PROJECT.replace("  region: us-east-1\n", &keys));
    let keys = many(100_000, |_| "  regoin: 1\n".to_owned());
    refused(PROJECT.replace("  region: us-east-1\n", &keys));
}

#[test]
fn dangling_names() {
    let workloads =
        many(20_000, |n| format!("    w{n}: {{labels: {{app: w{n}}}, clusters: [use1]}}\n"));
    let text = PROJECT.replace("  workloads:\n", &format!("  workloads:\n{workloads}"));
    let names = many(100_000, |n| format!("nobody{n}, "));
    refused(text.replace("from: [web]", &format!("from: [{names}web]")));
    refused(text.replace("to: [api]", &format!("to: [{names}api]")));
    refused(text.replace("clusters: [euw1]", &format!("clusters: [{names}euw1]")));
}

#[test]
fn clusters() {
    let clusters = many(30_000, |n| {
        format!(
            "---\napiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: c{n}}}\nspec: {{region: us-east-1, id: {}, podCIDRs: [100.66.0.0/16], clustermesh: {{endpoint: {{ips: [10.0.1.21]}}}}}}\n",
            n % 250
        )
    });
    refused(format!("{PROJECT}{clusters}"));
    let same = many(20_000, |_| {
        "---\napiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {name: use1}\nspec: {region: us-east-1}\n".to_owned()
    });
    refused(format!("{PROJECT}{same}"));
}

#[test]
fn what_clusters_inherit() {
    let cluster = |n: usize| {
        format!(
            "---\napiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: c{n}}}\nspec: {{region: us-east-1, mesh: false}}\n"
        )
    };
    let clusters = many(1_000, cluster);
    let ranges = many(100_000, |n| format!("100.{}.{}.0/24, ", 64 + n / 256 % 64, n % 256));
    let text = PROJECT.replace(
        "  clusterDefaults:\n",
        &format!("  clusterDefaults:\n    podCIDRs: [{ranges}]\n"),
    );
    refused(format!("{text}{clusters}"));
    let defaults = "    loadBalancers: {controller: aws-load-balancer-controller}\n";
    for inherited in [
        format!("loadBalancers: {{interfaces: [{}]}}", many(300_000, |_| "eth0, ".to_owned())),
        format!("controlPlane: {{zones: [{}]}}", many(300_000, |_| "a, ".to_owned())),
        format!(
            "versions: {{components: {{{}}}}}",
            many(100_000, |n| format!("c{n}: {{chart: 1.0.0}}, "))
        ),
        format!(
            "clustermesh: {{service: {{sourceRanges: [{}]}}}}",
            many(300_000, |_| "10.0.0.0/8, ".to_owned())
        ),
        format!("clustermesh: {{service: {{annotations: {{a: {}}}}}}}", "x".repeat(8_000_000)),
    ] {
        let text = PROJECT.replace(defaults, &format!("    {inherited}\n"));
        refused(format!("{text}{clusters}"));
    }
    let values = many(100_000, |n| format!("k{n}: {n}, "));
    let text = PROJECT.replace(
        "  mesh: {",
        &format!("  mesh: {{ciliumValues: {{podLabels: {{{values}}}, nobody: 1}}, "),
    );
    refused(format!("{text}{clusters}"));
}

#[test]
fn networks_and_interconnects() {
    let regions =
        many(50_000, |n| format!("    r{n}: {{networks: {{main: {{cidrs: [10.0.0.0/16]}}}}}}\n"));
    let text = PROJECT.replace("  regions:\n", &format!("  regions:\n{regions}"));
    let all = many(50_000, |n| format!("r{n}, "));
    let joined = format!("between: [{all}us-east-1");
    let text = text.replace("between: [us-east-1", &joined);
    refused(text.replace("region: us-east-1", "region: us-east-9"));
    let pairs =
        many(100_000, |_| "    - {between: [us-east-1, eu-west-1], type: vpn}\n".to_owned());
    refused(
        PROJECT
            .replace("  interconnects:\n", &format!("  interconnects:\n{pairs}"))
            .replace("id: 2", "id: 1"),
    );
}

#[test]
fn peers_of_one_flow() {
    let peers = many(100_000, |_| "web, ".to_owned());
    let text = PROJECT.replace("from: [web]", &format!("from: [{peers}web]"));
    let called = many(100_000, |_| "api, ".to_owned());
    refused(text.replace("to: [api]", &format!("to: [{called}nobody]")));
    // Nothing is wrong with these, but that they are many.
    let attack = Attack::new();
    attack.put("landbridge.yaml", text);
    attack.run(&["compile"]).ends_with(&[0, 1]);
    let limits = many(20_000, |_| "{workload: web, regions: [\"eu-*\", \"*\"]}, ".to_owned());
    let attack = Attack::with("from: [web]", &format!("from: [{limits}web]"));
    attack.run(&["compile"]).ends_with(&[0, 1]);
}

#[test]
fn pairs_of_peers_that_never_meet() {
    let from = many(5_000, |_| "{workload: web, clusters: [euw1]}, ".to_owned());
    let to = many(5_000, |_| "{workload: api, clusters: [use1]}, ".to_owned());
    let flow = format!("order: {{from: [{from}], to: [{to}], ports: [80]}}");
    let text = PROJECT.replace("order: {from: [web], to: [api]}", &flow);
    refused(text.replace("mesh: {", "mesh: {networking: island, "));
}

#[test]
fn ports_and_labels() {
    let ports = many(300_000, |n| format!("{}, ", n % 65_535 + 1));
    let flow = format!("to: [{{workload: api}}], ports: [{ports}]");
    let attack = Attack::with("to: [api]", &flow);
    attack.run(&["compile"]).ends_with(&[0, 1]);
    let labels = many(100_000, |n| format!("a{n}: b, "));
    let attack = Attack::with("{labels: {app: web}", &format!("{{labels: {{{labels} app: web}}"));
    attack.run(&["compile"]).ends_with(&[0, 1]);
}

#[test]
fn overlapping_ranges() {
    let ranges = many(200_000, |n| format!("10.{}.{}.0/24, ", n / 256 % 256, n % 256));
    refused(PROJECT.replace("podCIDRs: [100.64", &format!("podCIDRs: [{ranges}100.64")));
    let same = many(200_000, |_| "100.64.0.0/16, ".to_owned());
    refused(PROJECT.replace("podCIDRs: [100.64", &format!("podCIDRs: [{same}100.64")));
    let nested = many(100_000, |n| format!("100.64.0.0/{}, ", 16 + n % 17));
    refused(PROJECT.replace("podCIDRs: [100.64", &format!("podCIDRs: [{nested}100.64")));
}

#[test]
fn included_files() {
    let attack = Attack::including("\"many/*.yaml\"");
    for number in 0..3_000 {
        attack.put(&format!("many/{number}.yaml"), "a: [\n".repeat(10));
    }
    attack.is_refused("many/", "error");
}

#[test]
fn certificates_of_every_cluster() {
    let cluster = |n: usize| {
        format!(
            "---\napiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: c{n}}}\nspec: {{region: us-east-1, mesh: false, podCIDRs: [100.66.0.0/16]}}\n"
        )
    };
    let clusters = many(1_000, cluster);
    for number in [9_000, 50_000] {
        let requests = many(number, |n| {
            format!("      n{n}.example.com: {{issuer: own, namespace: shop, secretName: s{n}}}\n")
        });
        let certificates = format!(
            "  certificates:\n    issuers: {{own: {{selfSigned: true}}}}\n    requests:\n{requests}  regions:\n"
        );
        let text = PROJECT.replacen("  regions:\n", &certificates, 1);
        refused(format!("{text}{clusters}"));
    }
}

#[test]
fn applications_of_one_namespace() {
    let applications = many(8_000, |n| {
        let labels = many(50, |label| format!("l{n}-{label}: x, "));
        format!(
            "---\napiVersion: landbridge.dev/v1alpha1\nkind: MeshApplication\nmetadata: {{name: a{n}}}\nspec: {{namespace: shop, namespaceLabels: {{{labels}}}}}\n"
        )
    });
    refused(format!("{PROJECT}{applications}").replace("clusters: [euw1]", "clusters: [euw9]"));
}

#[test]
fn routes_to_nobody() {
    let services =
        many(30_000, |n| format!("    s{n}: {{workload: web, ports: [{{port: 80}}]}}\n"));
    let routes = many(30_000, |n| format!("    r{n}: {{gateway: own, to: [nobody{n}]}}\n"));
    let gateway = "  gateways: {own: {namespace: shop, clusters: [use1, euw1], listeners: {http: {port: 80, protocol: HTTP}}}}\n  regions:\n";
    let text = PROJECT
        .replacen("  regions:\n", gateway, 1)
        .replacen("  services:\n", &format!("  services:\n{services}"), 1)
        .replacen("  flows:\n", &format!("  routes:\n{routes}  flows:\n"), 1);
    refused(text);
}

#[test]
fn pools_and_ranges() {
    let pool = "apiVersion: cilium.io/v2\nkind: CiliumLoadBalancerIPPool\nmetadata: {name: own}\nspec:\n  blocks:\n";
    let blocks =
        many(100_000, |n| format!("  - {{cidr: 172.{}.{}.0/24}}\n", 16 + n / 256 % 16, n % 256));
    let cluster = |n: usize| {
        format!(
            "---\napiVersion: landbridge.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: c{n}}}\nspec: {{region: us-east-1, mesh: false, podCIDRs: [100.66.0.0/16]}}\n"
        )
    };
    let ranges = many(900, |n| format!("10.{}.{}.0/24, ", n / 256, n % 256));
    let lb_ipam = format!("{{controller: lb-ipam, ranges: [{ranges}]}}");
    let text = PROJECT
        .replacen("  include: []\n", "  include: []\n  manifests: [{files: [pool.yaml]}]\n", 1)
        .replacen("{controller: aws-load-balancer-controller}", &lb_ipam, 1);
    let attack = Attack::new();
    attack.put("landbridge.yaml", format!("{text}{}", many(500, cluster)));
    attack.put("pool.yaml", format!("{pool}{blocks}"));
    attack.run(&["check"]).ends_with(&[3]);
}
