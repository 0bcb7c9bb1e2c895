//! The address plan for Terraform.

use landbridge::compile::terraform;

use crate::projects;

#[test]
fn every_plan_fits_its_schema() {
    let schema = serde_json::from_str(terraform::SCHEMA).expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is valid");
    let (mut plans, mut peers) = (0, 0);
    for project in projects::all() {
        let Some(topology) = projects::read(&project) else { continue };
        let vars = terraform::vars(&topology);
        let problems: Vec<_> = schema.iter_errors(&vars).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}\n{vars:#}", project.display());
        let clusters = vars["landbridge"]["clusters"].as_object().expect("clusters");
        assert_eq!(clusters.len(), topology.clusters.len());
        for cluster in clusters.values() {
            let network = cluster["network"].as_str().expect("a network");
            assert!(vars["landbridge"]["networks"].get(network).is_some(), "{network}");
            peers += cluster["peers"].as_array().map_or(0, Vec::len);
        }
        plans += 1;
    }
    assert!(plans > 10 && peers > 10, "{plans} plans, {peers} peers");
    assert!(!schema.is_valid(&serde_json::json!({"landbridge": {"mesh": 1}})));
}
