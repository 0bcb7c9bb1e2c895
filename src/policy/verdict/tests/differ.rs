//! Where the minors differ.

use super::super::super::parse::{CidrGroup, Service};
use super::*;

fn group() -> Known {
    let group = CidrGroup {
        name: "partners".to_owned(),
        labels: vec![("kind".to_owned(), "partner".to_owned())],
        prefixes: vec!["192.0.2.0/24".parse().expect("a prefix")],
    };
    Known { cidr_groups: vec![group], ..Known::default() }
}

#[test]
fn a_peer_without_a_cluster_is_local_from_1_19() {
    let cilium = about_web("ingress: [{fromEndpoints: [{matchLabels: {app: api}}]}]");
    Case::from(&*cilium, remote()).gives("aaadd");
    Case::from(&*cilium, api()).gives("aaaaa");
    let clusterwide = cilium.replace("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy");
    Case::from(clusterwide.replace(", namespace: shop", ""), remote()).gives("aaadd");
    let kubernetes = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{namespaceSelector: {}}]}]
";
    Case::from(kubernetes, remote()).gives("aaadd");
    Case::from(kubernetes, api()).gives("aaaaa");
    let off = |settings: &mut Settings| settings.policy_default_local_cluster = Some(false);
    Case { change: &off, ..Case::from(&*cilium, remote()) }.gives("aaaaa");
    let on = |settings: &mut Settings| settings.policy_default_local_cluster = Some(true);
    Case { change: &on, ..Case::from(&*cilium, remote()) }.gives("aaddd");
}

#[test]
fn what_is_refused_changes() {
    Case::from(about_web("ingress: []"), api()).gives("arrrr");
    let requires = about_web(
        "ingress:\n- fromRequires: [{matchLabels: {tier: front}}]\n- fromEndpoints: [{}]",
    );
    Case::from(&*requires, api()).gives("dddrr");
    Case::from(&*requires, pod("use1", "shop", &[("tier", "front")])).gives("aaarr");
    Case::from(about_web("ingress: [{fromEntities: [cluster-mesh]}]"), remote()).gives("rrrra");
    let specs = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
specs:
- nodeSelector: {}
  ingress: [{}]
";
    Case::from(specs, api()).gives("aarrr");
    Case::from(specs.replace("specs:\n-", "spec:\n "), api()).gives("rrrrr");
}

#[test]
fn names_of_egress_ports_are_looked_up_per_peer_in_1_20() {
    let ports = "toPorts: [{ports: [{port: metrics, protocol: TCP}]}]";
    let policy = about_web(&format!("egress: [{{toEndpoints: [{{}}], {ports}}}]"));
    let named = api().port("metrics", Protocol::TCP, 8080);
    let other = |port| vec![pod("use1", "ops", &[]).port("metrics", Protocol::TCP, port)];
    Case { others: other(9090), ..Case::to(&*policy, named.clone()) }.gives("dddda");
    Case { others: other(8080), ..Case::to(&*policy, api()) }.gives("aaaad");
    Case::to(&*policy, named).gives("aaaaa");
    Case::to(&*policy, api()).gives("ddddd");
}

#[test]
fn what_a_negative_selector_excludes_is_admitted_in_1_20() {
    let key = "k8s:io.kubernetes.pod.namespace";
    let not = format!("[{{key: '{key}', operator: NotIn, values: [ops]}}]");
    let policy = about_web(&format!("ingress: [{{fromEndpoints: [{{matchExpressions: {not}}}]}}]"));
    let ops = || pod("use1", "ops", &[]);
    let off = |settings: &mut Settings| settings.policy_default_local_cluster = Some(false);
    Case { change: &off, ..Case::from(&*policy, ops()) }.gives("dddda");
    Case::from(&*policy, ops()).gives("ddddd");
    Case { change: &off, ..Case::from(&*policy, Identity::world()) }.gives("aaaaa");
}

#[test]
fn enforcement_always_shuts_the_host_out_in_1_20() {
    let elsewhere = about_web("ingress: [{}]").replace("{app: web}", "{app: other}");
    let always = |settings: &mut Settings| settings.enforcement = Enforcement::Always;
    Case { change: &always, ..Case::from(&*elsewhere, Identity::host()) }.gives("aaaad");
    let ruled = about_web("ingress: [{}]");
    Case { change: &always, ..Case::from(ruled, Identity::host()) }.gives("aaaaa");
    Case { change: &always, ..Case::from(elsewhere, api()) }.gives("ddddd");
}

#[test]
fn services_that_are_not_there_open_the_port_to_all_from_1_17() {
    let to = "toServices: [{k8sService: {serviceName: api, namespace: shop}}]";
    let ports = "toPorts: [{ports: [{port: '8080', protocol: TCP}]}]";
    let policy = about_web(&format!("egress: [{{{to}, {ports}}}]"));
    let none = Known { services: Some(Vec::new()), ..Known::default() };
    Case { known: none, ..Case::to(&*policy, remote()) }.gives("raaaa");
    let service = Service {
        name: "api".to_owned(),
        namespace: "shop".to_owned(),
        selector: vec![("app".to_owned(), "api".to_owned())],
        ..Service::default()
    };
    let known = || Known { services: Some(vec![service.clone()]), ..Known::default() };
    Case { known: known(), ..Case::to(&*policy, api()) }.gives("raaaa");
    Case { known: known(), ..Case::to(&*policy, remote()) }.gives("raadd");
    Case { known: known(), ..Case::to(&*policy, pod("use1", "ops", &[])) }.gives("rdddd");
    Case::to(&*policy, remote()).gives("rdddd");
    let deny =
        about_web(&format!("egress: [{{toEntities: [all]}}]\negressDeny: [{{{to}, {ports}}}]"));
    Case { known: known(), ..Case::to(deny, remote()) }.gives("rdddd");
    let deny = about_web(&format!("egress: [{{toEntities: [all]}}]\negressDeny: [{{{to}}}]"));
    Case { known: known(), ..Case::to(deny, api()) }.gives("aaaaa");
}

#[test]
fn groups_that_are_not_there_are_no_one() {
    let ports = "toPorts: [{ports: [{port: '8080'}]}]";
    let partner = || Identity::address("192.0.2.1/32".parse().expect("a prefix"), false);
    let policy =
        about_web(&format!("egress: [{{toCIDRSet: [{{cidrGroupRef: partners}}], {ports}}}]"));
    Case::to(&*policy, remote()).gives("ddddd");
    Case { known: group(), ..Case::to(&*policy, partner()) }.gives("aaaaa");
    Case { known: group(), ..Case::to(policy, remote()) }.gives("ddddd");
    let aws = "toGroups: [{aws: {securityGroupsIds: [sg-1]}}]";
    let policy = about_web(&format!("egress: [{{{aws}, {ports}}}]"));
    let none = Known { external_groups: Some(Vec::new()), ..Known::default() };
    Case { known: none, ..Case::to(&*policy, remote()) }.gives("daddd");
    Case::to(policy, remote()).gives("ddddd");
    let selector = "{cidrGroupSelector: {matchLabels: {kind: partner}}}";
    let policy = about_web(&format!("egress: [{{toCIDRSet: [{selector}]}}]"));
    Case { known: group(), ..Case::to(&*policy, partner()) }.gives("raaaa");
    Case { known: group(), ..Case::to(policy, Identity::world()) }.gives("rdddd");
}

#[test]
fn kafka_rules_are_dropped_in_1_20() {
    let policy = about_web(
        "ingress: [{toPorts: [{ports: [{port: '8080', protocol: TCP}], rules: {kafka: [{role: \
         consume}]}}]}]",
    );
    for (version, limited) in VERSIONS.into_iter().zip([true, true, true, true, false]) {
        let (outcome, _) = Case::from(&*policy, api()).outcome(version);
        let Outcome::Allowed(limits) = outcome else { panic!("{version}: {outcome:?}") };
        assert_eq!(limits.is_some(), limited, "{version}");
    }
}

#[test]
fn http_and_dns_on_one_port_break_until_1_17() {
    let ports =
        |rules| format!("toPorts: [{{ports: [{{port: '53', protocol: TCP}}], rules: {rules}}}]");
    let http = ports("{http: [{method: GET}]}");
    let dns = ports("{dns: [{matchPattern: '*'}]}");
    let policy = about_web(&format!(
        "egress:\n- toEndpoints: [{{matchLabels: {{app: api}}}}]\n  {http}\n- toEndpoints: \
         [{{matchLabels: {{app: dns}}}}]\n  {dns}"
    ));
    Case { port: 53, ..Case::to(&*policy, api()) }.gives("bbaaa");
    Case { port: 53, ..Case::to(policy.replace("app: dns", "app: api"), api()) }.gives("bbbbb");
}

/// A ClusterNetworkPolicy about every pod of `shop`.
fn tiered(tier: &str, ingress: &str) -> String {
    format!(
        "---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n\
         metadata: {{name: tier}}\nspec:\n  tier: {tier}\n  priority: 10\n  subject: \
         {{namespaces: {{matchLabels: {{team: shop}}}}}}\n  ingress: {ingress}\n"
    )
}

fn with_tiers(policies: &str, peer: Identity) -> Case<'static> {
    let change = &|settings: &mut Settings| settings.cluster_network_policy = true;
    Case { change, ..Case::from(policies, peer) }
}

#[test]
fn tiers_are_read_by_1_20_where_they_are_on() {
    let deny = tiered("Admin", "[{action: Deny, from: [{namespaces: {}}]}]");
    Case::from(&*deny, api()).gives("rrrrr");
    with_tiers(&deny, api()).gives("rrrrd");
    with_tiers(&deny, Identity::world()).gives("rrrra");
    with_tiers(&deny, remote()).gives("rrrrd");
    let pods = "[{action: Deny, from: [{pods: {namespaceSelector: {}, podSelector: {}}}]}]";
    with_tiers(&tiered("Admin", pods), remote()).gives("rrrra");
    with_tiers(&tiered("Admin", pods), api()).gives("rrrrd");
    let not = "[{action: Deny, from: [{namespaces: {matchExpressions: [{key: team, operator: \
               NotIn, values: [shop]}]}}]}]";
    with_tiers(&tiered("Admin", not), api()).gives("rrrrd");
}

#[test]
fn tiers_are_asked_in_order() {
    let anyone = "from: [{namespaces: {}}]";
    let accept = format!("[{{action: Accept, {anyone}}}]");
    let deny = about_web("ingressDeny: [{fromEndpoints: [{}]}]");
    let isolated = about_web("ingress: [{}]");
    let open = about_web("ingress: [{fromEndpoints: [{}]}]");
    with_tiers(&(deny + &tiered("Admin", &accept)), api()).gives("rrrra");
    // What a policy isolates, Baseline opens: default deny comes after it.
    with_tiers(&(isolated.clone() + &tiered("Baseline", &accept)), api()).gives("rrrra");
    let denied = format!("[{{action: Deny, {anyone}}}]");
    with_tiers(&(open + &tiered("Baseline", &denied)), api()).gives("rrrra");
    with_tiers(&tiered("Baseline", &denied), api()).gives("rrrrd");
    let pass = format!("[{{action: Pass, {anyone}}}, {{action: Deny, {anyone}}}]");
    with_tiers(&tiered("Admin", &pass), api()).gives("rrrra");
    with_tiers(&(isolated + &tiered("Admin", &pass)), api()).gives("rrrrd");
}

#[test]
fn the_own_node_is_limited_from_1_19() {
    let port = "toPorts: [{ports: [{port: '8080', protocol: TCP}], rules: {http: [{}]}}]";
    let limited = |text: String| {
        let case = Case::from(about_web(&text), Identity::reserved("host"));
        VERSIONS.map(|version| match case.outcome(version).0 {
            Outcome::Allowed(None) => 'a',
            Outcome::Allowed(Some(_)) => 'l',
            Outcome::Denied | Outcome::Broken => 'd',
        })
    };
    assert_eq!(limited(format!("ingress: [{{{port}}}]")), ['a', 'a', 'a', 'l', 'l']);
    let named = format!("ingress: [{{fromEntities: [host], {port}}}]");
    assert_eq!(limited(named), ['l', 'l', 'l', 'l', 'l']);
}
