//! What is known of an endpoint before any peer is asked about.

use super::*;

/// The state of `web` in a version: `o` open, `b` broken, `i` isolated, `-` none of these.
fn state(text: &str, version: &str, direction: Direction) -> char {
    let semantics = semantics(version, |_| {});
    let policies = policies(text, &semantics, &Known::default());
    let web = web();
    let agent = Agent::new(&semantics, &policies, []);
    let subject = agent.subject(&web, direction);
    assert_eq!(subject.isolating().count() > 0, subject.rules().iter().any(|r| r.default_deny));
    match (subject.is_open(), subject.is_broken(), subject.is_isolated()) {
        (true, false, false) => 'o',
        (false, true, false) => 'b',
        (false, false, true) => 'i',
        (false, false, false) => '-',
        many => panic!("several states at once: {many:?}"),
    }
}

#[test]
fn an_endpoint_has_one_state_in_each_direction() {
    let ingress = about_web("ingress: [{fromEndpoints: [{}]}]");
    assert_eq!(state(&ingress, "1.20.2", Direction::Ingress), 'i');
    assert_eq!(state(&ingress, "1.20.2", Direction::Egress), 'o');
    let free = about_web("ingress: [{}]\nenableDefaultDeny: {ingress: false}");
    assert_eq!(state(&free, "1.20.2", Direction::Ingress), '-');
    let port = "toPorts: [{ports: [{port: '80', protocol: TCP}], rules: ";
    let both = |one: &str, other: &str| {
        let item = |rules: &str| format!("{{fromEndpoints: [{{}}], {port}{rules}}}]}}");
        about_web(&format!("ingress: [{}, {}]", item(one), item(other)))
    };
    let clash = both("{http: [{}]}", "{kafka: [{topic: a}]}");
    assert_eq!(state(&clash, "1.19.6", Direction::Ingress), 'b');
    // One map is made for both directions.
    assert_eq!(state(&clash, "1.19.6", Direction::Egress), 'b');
    let same = both("{http: [{}]}", "{http: [{path: /a}]}");
    assert_eq!(state(&same, "1.19.6", Direction::Ingress), 'i');
}

#[test]
fn rules_of_two_parsers_for_the_same_peer_break_its_policy() {
    let item = |peer: &str, rules: &str| {
        let ports =
            format!("toPorts: [{{ports: [{{port: '80', protocol: TCP}}], rules: {rules}}}]");
        format!("{{fromEndpoints: [{{matchLabels: {{{peer}}}}}], {ports}}}")
    };
    let about = |one: &str, other: &str| {
        let (one, other) = (item(one, "{http: [{}]}"), item(other, "{kafka: [{topic: a}]}"));
        about_web(&format!("ingress: [{one}, {other}]"))
    };
    let states = |text: &str| -> String {
        let states = VERSIONS.map(|version| state(text, version, Direction::Ingress));
        states.into_iter().collect()
    };
    // 1.20 drops what Kafka says.
    assert_eq!(states(&about("a: x, b: z", "b: z, a: x")), "bbbbi");
    assert_eq!(states(&about("a: x", "b: z")), "bbiii");
}

#[test]
fn labels_alone_decide_where_nothing_else_is_asked() {
    let goes = |direction, sections: &str, version: &str, change: &dyn Fn(&mut Settings)| {
        let semantics = semantics(version, change);
        let known = Known::default();
        let policies = policies(&about_web(sections), &semantics, &known);
        assert_eq!(policies[0].refused, None, "{sections}");
        let web = web();
        let subject = Agent::new(&semantics, &policies, []).subject(&web, direction);
        assert!(!subject.rules().is_empty(), "{sections}");
        subject.goes_by_labels()
    };
    let (ingress, egress) = (Direction::Ingress, Direction::Egress);
    let pods = |settings: &mut Settings| settings.cidr_matches_pods = true;
    let named = "toPorts: [{ports: [{port: http}]}]";
    let negative = "{matchExpressions: [{key: 'reserved:host', operator: DoesNotExist}]}";
    let cases = [
        (ingress, "ingress: [{fromEndpoints: [{}]}]".to_owned(), true),
        (ingress, format!("ingress: [{{fromEndpoints: [{{}}], {named}}}]"), true),
        (egress, format!("egress: [{{toEndpoints: [{{}}], {named}}}]"), false),
        (egress, "egress: [{toFQDNs: [{matchName: a.b}]}]".to_owned(), true),
        (egress, "egress: [{toCIDRSet: [{cidrGroupRef: partners}]}]".to_owned(), false),
        (ingress, "ingress: [{fromCIDR: [192.0.2.0/24]}]".to_owned(), true),
    ];
    for (direction, sections, expected) in &cases {
        assert_eq!(goes(*direction, sections, "1.18.6", &|_| {}), *expected, "{sections}");
    }
    let requires = "ingress: [{fromRequires: [{matchLabels: {a: b}}]}]";
    assert!(!goes(ingress, requires, "1.18.6", &|_| {}));
    let cidr = "ingress: [{fromCIDR: [192.0.2.0/24]}]";
    assert!(goes(ingress, cidr, "1.20.2", &|_| {}));
    assert!(!goes(ingress, cidr, "1.20.2", &pods));
    // In 1.20 such a selector takes what stands for others.
    let any = |settings: &mut Settings| settings.policy_default_local_cluster = Some(false);
    let text = format!(
        "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {{name: web}}\n\
         spec: {{endpointSelector: {{}}, ingress: [{{fromEndpoints: [{negative}]}}]}}\n"
    );
    let goes = |version| {
        let semantics = semantics(version, any);
        let policies = policies(&text, &semantics, &Known::default());
        let web = web();
        let agent = Agent::new(&semantics, &policies, []);
        agent.subject(&web, ingress).goes_by_labels()
    };
    assert_eq!(VERSIONS.map(goes), [true, true, true, true, false]);
}

#[test]
fn the_rules_for_a_peer_are_those_among_whose_peers_it_is() {
    let semantics = semantics("1.20.2", |_| {});
    let text = about_web(
        "ingress:\n  - fromEndpoints: [{matchLabels: {app: api}}]\n  - fromEntities: [world]",
    );
    let policies = policies(&text, &semantics, &Known::default());
    let (web, api, world) = (web(), api(), Identity::world());
    let agent = Agent::new(&semantics, &policies, []);
    let subject = agent.subject(&web, Direction::Ingress);
    let rules = |peer: &Identity| {
        let toward = subject.toward(peer);
        toward.rules().iter().map(|rule| rule.span).collect::<Vec<_>>()
    };
    let spans: Vec<_> = policies[0].rules.iter().map(|rule| rule.span).collect();
    assert_eq!(rules(&api), spans[..1]);
    assert_eq!(rules(&world), spans[1..]);
    assert_eq!(rules(&pod("use1", "shop", &[])), []);
    let ask = |peer| {
        let flow = Flow {
            subject: &web,
            peer,
            direction: Direction::Ingress,
            protocol: Protocol::TCP,
            port: 80,
        };
        agent.verdict(&flow).outcome
    };
    assert!(ask(&api).is_allowed() && !ask(&pod("use1", "shop", &[])).is_allowed());
}
