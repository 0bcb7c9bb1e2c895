//! Where the minors agree.

use super::*;

fn address(text: &str) -> Identity {
    Identity::address(text.parse().expect("a prefix"), false)
}

#[test]
fn default_deny_is_per_direction() {
    let ingress = about_web("ingress: [{}]");
    Case::from(&*ingress, api()).gives("ddddd");
    Case::to(&*ingress, api()).gives("aaaaa");
    Case::from(&*ingress, Identity::host()).gives("aaaaa");
    let beside = about_web("ingress: []\negress: [{}]");
    Case::from(&*beside, api()).gives("aaaaa");
    Case::to(&*beside, api()).gives("ddddd");
}

#[test]
fn an_empty_list_of_peers_is_no_one_and_an_empty_peer_the_own_namespace() {
    Case::from(about_web("ingress: [{fromEndpoints: []}]"), api()).gives("ddddd");
    let own = about_web("ingress: [{fromEndpoints: [{}]}]");
    Case::from(&*own, api()).gives("aaaaa");
    Case::from(&*own, pod("use1", "ops", &[])).gives("ddddd");
    Case::from(own, Identity::world()).gives("ddddd");
    let ports = about_web("ingress: [{toPorts: [{ports: [{port: '8080', protocol: TCP}]}]}]");
    Case::from(&*ports, Identity::world()).gives("aaaaa");
    Case { port: 81, ..Case::from(&*ports, Identity::world()) }.gives("ddddd");
    Case { protocol: Protocol::UDP, ..Case::from(ports, api()) }.gives("ddddd");
    let empty = about_web("egress: [{toFQDNs: [], toPorts: [{ports: [{port: '8080'}]}]}]");
    Case::to(empty, api()).gives("aaaaa");
}

#[test]
fn a_cluster_that_is_named_counts_everywhere() {
    let key = "k8s:io.cilium.k8s.policy.cluster";
    let peer = |selector: String| about_web(&format!("ingress: [{{fromEndpoints: [{selector}]}}]"));
    let named = peer(format!("{{matchLabels: {{'{key}': euw1}}}}"));
    Case::from(&*named, remote()).gives("aaaaa");
    Case::from(named, api()).gives("ddddd");
    let any = peer(format!("{{matchExpressions: [{{key: '{key}', operator: Exists}}]}}"));
    Case::from(any, remote()).gives("aaaaa");
    let not = format!("[{{key: '{key}', operator: NotIn, values: [use1]}}]");
    let not = peer(format!("{{matchLabels: {{app: api}}, matchExpressions: {not}}}"));
    Case::from(&*not, remote()).gives("aaaaa");
    Case::from(not, api()).gives("ddddd");
}

#[test]
fn deny_beats_allow_by_peer_and_by_port() {
    let deny = "ingressDeny: [{fromEndpoints: [{matchLabels: {app: api}}]}]";
    let peer = about_web(&format!("ingress: [{{fromEndpoints: [{{}}]}}]\n{deny}"));
    Case::from(&*peer, api()).gives("ddddd");
    Case::from(peer, pod("use1", "shop", &[])).gives("aaaaa");
    let ports = "toPorts: [{ports: [{port: '8080', protocol: TCP}]}]";
    let by_port = about_web(&format!("ingress: [{{fromEndpoints: [{{}}], {ports}}}]\n{deny}"));
    Case::from(by_port, api()).gives("ddddd");
    let wide = "ingress: [{fromEntities: [all]}]\ningressDeny: [{fromCIDR: [0.0.0.0/0]}]";
    Case::from(about_web(wide), address("192.0.2.1/32")).gives("ddddd");
    Case::from(about_web(wide), api()).gives("aaaaa");
}

#[test]
fn a_rule_may_isolate_nothing() {
    let deny = "ingressDeny: [{fromEntities: [remote-node]}]";
    let open = about_web(&format!("enableDefaultDeny: {{ingress: false}}\n{deny}"));
    Case::from(&*open, Identity::remote_node()).gives("ddddd");
    Case::from(&*open, Identity::world()).gives("aaaaa");
    let off = |settings: &mut Settings| settings.non_default_deny = false;
    Case { change: &off, ..Case::from(open, Identity::world()) }.gives("aaaad");
}

#[test]
fn ports_have_names_and_ranges() {
    let port = |text: &str| about_web(&format!("ingress: [{{toPorts: [{{ports: [{text}]}}]}}]"));
    let named = port("{port: HTTP, protocol: TCP}");
    Case::from(&*named, api()).gives("aaaaa");
    Case { port: 8081, ..Case::from(named, api()) }.gives("ddddd");
    Case::from(port("{port: grpc, protocol: TCP}"), api()).gives("ddddd");
    let range = port("{port: '8000', endPort: 8080}");
    for (port, expected) in [(7999, "ddddd"), (8000, "aaaaa"), (8080, "aaaaa"), (8081, "ddddd")] {
        Case { port, ..Case::from(&*range, api()) }.gives(expected);
    }
    let backwards = port("{port: '8080', endPort: 80}");
    Case::from(&*backwards, api()).gives("aaaaa");
    Case { port: 80, ..Case::from(backwards, api()) }.gives("ddddd");
}

#[test]
fn entities_are_words_for_labels() {
    let entity = |name: &str| about_web(&format!("ingress: [{{fromEntities: [{name}]}}]"));
    Case::from(entity("all"), remote()).gives("aaaaa");
    Case::from(entity("world"), Identity::world()).gives("aaaaa");
    Case::from(entity("world"), address("192.0.2.1/32")).gives("aaaaa");
    Case::from(entity("world"), remote()).gives("ddddd");
    Case::from(entity("remote-node"), Identity::remote_node()).gives("aaaaa");
    Case::from(entity("remote-node"), Identity::api_server_node()).gives("aaaaa");
    Case::from(entity("kube-apiserver"), Identity::api_server_node()).gives("aaaaa");
    Case::from(entity("kube-apiserver"), Identity::remote_node()).gives("ddddd");
    Case::from(entity("cluster"), Identity::remote_node()).gives("aaaaa");
    Case::from(entity("cluster"), Identity::world()).gives("ddddd");
    Case::from(entity("cluster"), remote()).gives("ddddd");
    Case::from(entity("cluster"), api()).gives("aaaaa");
    Case::from(entity("none"), api()).gives("ddddd");
    Case::from(entity("world-ipv4"), Identity::world()).gives("rrrrr");
}

#[test]
fn addresses_are_not_pods_and_not_nodes() {
    let all = about_web("egress: [{toCIDR: [0.0.0.0/0]}]");
    let net = "10.1.0.1/32".parse().expect("a prefix");
    Case::to(&*all, Identity::world()).gives("aaaaa");
    Case::to(&*all, api().at(net)).gives("ddddd");
    Case::to(&*all, Identity::remote_node().at(net)).gives("ddddd");
    let nodes = |settings: &mut Settings| settings.cidr_matches_nodes = true;
    // From 1.19 the prefix of all addresses is another word for the world.
    Case { change: &nodes, ..Case::to(&*all, Identity::remote_node().at(net)) }.gives("aaadd");
    let some = about_web("egress: [{toCIDR: [10.0.0.0/8]}]");
    Case { change: &nodes, ..Case::to(&*some, Identity::remote_node().at(net)) }.gives("aaaaa");
    let pods = |settings: &mut Settings| settings.cidr_matches_pods = true;
    Case { change: &pods, ..Case::to(all, api().at(net)) }.gives("dddda");
    let set = |text: &str| about_web(&format!("egress: [{{toCIDRSet: [{{{text}}}]}}]"));
    let except = set("cidr: 10.0.0.0/8, except: [10.1.0.0/16]");
    Case::to(&*except, address("10.1.0.1/32")).gives("ddddd");
    Case::to(except, address("10.2.0.1/32")).gives("aaaaa");
    let wider = set("cidr: 10.0.0.0/16, except: [10.0.0.0/8]");
    Case::to(wider, address("10.0.0.1/32")).gives("ddddr");
}

#[test]
fn enforcement_is_always_or_never_what_it_says() {
    let deny = about_web("ingress: [{}]");
    let never = |settings: &mut Settings| settings.enforcement = Enforcement::Never;
    Case { change: &never, ..Case::from(&*deny, api()) }.gives("aaaaa");
    let always = |settings: &mut Settings| settings.enforcement = Enforcement::Always;
    Case { change: &always, ..Case::to(deny, api()) }.gives("ddddd");
}

#[test]
fn specs_are_rules_beside_each_other() {
    let policy = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
specs:
- endpointSelector: {matchLabels: {app: web}}
  ingress: [{}]
- endpointSelector: {}
  ingress: [{fromEndpoints: [{matchLabels: {app: api}}]}]
";
    Case::from(policy, api()).gives("aaaaa");
    Case::from(policy, Identity::world()).gives("ddddd");
}

#[test]
fn icmp_has_types_and_is_shut_by_ports() {
    let ping = "ingress: [{fromEndpoints: [{}], icmps: [{fields: [{type: EchoRequest}]}]}]";
    let ping = about_web(ping);
    let icmp = |port, text| Case { protocol: Protocol::ICMP, port, ..Case::from(text, api()) };
    icmp(8, &*ping).gives("aaaaa");
    icmp(3, &ping).gives("ddddd");
    Case::from(&*ping, api()).gives("ddddd");
    let ports = about_web("ingress: [{toPorts: [{ports: [{port: '0'}]}]}]");
    Case::from(&*ports, api()).gives("aaaaa");
    icmp(8, &ports).gives("ddddd");
    icmp(8, &about_web("ingress: [{fromEndpoints: [{}]}]")).gives("aaaaa");
}

#[test]
fn http_is_a_limit_unless_another_rule_has_none() {
    let http = "ingress:\n- fromEndpoints: [{matchLabels: {app: api}}]\n  toPorts: [{ports: \
                [{port: '8080', protocol: TCP}], rules: {http: [{method: GET}]}}]";
    let open = format!("{http}\n- fromEndpoints: [{{}}]");
    for version in VERSIONS {
        for (text, rules) in [(http, 1), (&*open, 2)] {
            let (outcome, deciding) = Case::from(about_web(text), api()).outcome(version);
            let Outcome::Allowed(limits) = outcome else { panic!("{version}: {text}") };
            assert_eq!((limits.is_some(), deciding), (rules == 1, rules), "{version}: {text}");
        }
    }
}

#[test]
fn http_is_no_limit_where_nothing_isolates() {
    let http = "enableDefaultDeny: {ingress: false}\ningress: [{toPorts: [{ports: [{port: '8080', \
                protocol: TCP}], rules: {http: [{method: GET}]}}]}]";
    for version in VERSIONS {
        let (outcome, _) = Case::from(about_web(http), api()).outcome(version);
        assert_eq!(outcome, Outcome::Allowed(None), "{version}");
    }
}

#[test]
fn names_need_a_dns_rule() {
    let names = "egress:\n- toFQDNs: [{matchPattern: '*.example.com'}]";
    let mut site = address("192.0.2.1/32");
    site.names.insert("www.example.com".to_owned());
    Case::to(about_web(names), site.clone()).gives("ddddd");
    let dns = format!(
        "{names}\n- toEndpoints: [{{}}]\n  toPorts: [{{ports: [{{port: '53', protocol: ANY}}], \
         rules: {{dns: [{{matchPattern: '*'}}]}}}}]"
    );
    Case::to(about_web(&dns), site).gives("aaaaa");
    Case::to(about_web(&dns), address("192.0.2.2/32")).gives("ddddd");
}

#[test]
fn a_subject_elsewhere_isolates_nothing() {
    let subject = |more: &str| {
        about_web("ingress: [{}]").replace("{app: web}", &format!("{{app: web, {more}}}"))
    };
    Case::from(subject("'k8s:io.kubernetes.pod.namespace': ops"), api()).gives("ddddd");
    Case::from(subject("io.kubernetes.pod.namespace: ops"), api()).gives("aaaaa");
    Case::from(subject("io.cilium.k8s.policy.cluster: euw1"), api()).gives("aaaaa");
}

#[test]
fn nodes_are_remote_and_need_the_setting() {
    let nodes = about_web("ingress: [{fromNodes: [{matchLabels: {zone: a}}]}]");
    let node = |cluster: &str| Identity::labelled_node(cluster, &[("zone", "a")]);
    Case::from(&*nodes, node("use1")).gives("rrrrr");
    let on = |settings: &mut Settings| settings.node_selector_labels = true;
    Case { change: &on, ..Case::from(&*nodes, node("use1")) }.gives("aaaaa");
    Case { change: &on, ..Case::from(nodes, node("euw1")) }.gives("aaadd");
}

#[test]
fn a_policy_for_nodes_is_about_the_host_only() {
    let policy = "\
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: nodes}
spec:
  nodeSelector: {}
  ingress: [{fromEntities: [cluster]}]
";
    Case::from(policy, Identity::world()).gives("aaaaa");
    let host = || Case { subject: Identity::host(), ..Case::from(policy, Identity::world()) };
    host().gives("aaaaa");
    let firewall = |settings: &mut Settings| settings.host_firewall = true;
    Case { change: &firewall, ..host() }.gives("ddddd");
}

#[test]
fn kubernetes_policies_isolate_what_their_types_say() {
    let policy = |spec: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: web, \
             namespace: shop}}\nspec:\n  podSelector: {{}}\n  {spec}\n"
        )
    };
    Case::from(policy("policyTypes: [Ingress]"), api()).gives("ddddd");
    Case::to(policy("policyTypes: [Ingress]"), api()).gives("aaaaa");
    Case::from(policy("policyTypes: [Egress]"), api()).gives("aaaaa");
    Case::to(policy("policyTypes: [Egress]"), api()).gives("ddddd");
    Case::from(policy("ingress: [{}]"), Identity::world()).gives("aaaaa");
    let own = policy("ingress: [{from: [{podSelector: {matchLabels: {app: api}}}]}]");
    Case::from(&*own, api()).gives("aaaaa");
    Case::from(own, pod("use1", "ops", &[("app", "api")])).gives("ddddd");
    let ops = "namespaceSelector: {matchLabels: {team: ops}}";
    let other = policy(&format!("ingress: [{{from: [{{{ops}}}], ports: [{{port: 8080}}]}}]"));
    Case::from(&*other, pod("use1", "ops", &[])).gives("aaaaa");
    Case { port: 81, ..Case::from(&*other, pod("use1", "ops", &[])) }.gives("ddddd");
    Case::from(other, api()).gives("ddddd");
    let block = "ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.128/25]}";
    let block = policy(&format!("policyTypes: [Egress]\n  egress: [{{to: [{{{block}}}]}}]"));
    Case::to(&*block, address("192.0.2.1/32")).gives("aaaaa");
    Case::to(block, address("192.0.2.200/32")).gives("ddddd");
}
