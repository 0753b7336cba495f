//! What an attempt did and took is told by the fact that ends it.

use super::limits::kinds;
use super::world::{self, Silent, World};
use events::BuildEvent;
use events::event::StepName::{Build, Clone, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn an_end_tells_the_steps_in_order_with_their_exit_codes_and_what_was_taken() {
    for kind in kinds() {
        let (world, s3) = (World::new().await, Silent::listen().await);
        let build =
            world.dispatch(&world.repository("failing", "head -c 3000000 /dev/zero > big; sleep 1.5; exit 3")).await;
        let _launched = world.launch(world::config(world.data(), kind), s3.address).await;
        let BuildEvent::Finished { steps, resources, .. } = world.finished(build).await else { panic!() };
        let told: Vec<_> = steps.iter().map(|step| (step.name, step.exit_code)).collect();
        assert_eq!(told, [(Clone, Some(0)), (Setup, Some(0)), (Build, Some(3))], "{kind:?}");
        assert!(steps.windows(2).all(|two| two[0].ended_at <= two[1].started_at), "{steps:?}");
        assert!(steps[2].duration_ms() >= 1500, "{steps:?}");
        let resources = resources.expect("what it took");
        assert!(resources.disk_peak_bytes.expect("the disk is measured") >= 3_000_000, "{kind:?}: {resources:?}");
        assert!(resources.memory_peak_bytes.is_some_and(|bytes| bytes > 1 << 20), "{kind:?}: {resources:?}");
        assert!(resources.cpu_ms.is_some(), "{kind:?}: {resources:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_fetched_is_a_step_that_no_program_ended() {
    let (world, s3) = (World::new().await, Silent::listen().await);
    let build = world.dispatch(&format!("file://{}/nowhere", world.folder.path().display())).await;
    let _launched = world.launch(world.config(), s3.address).await;
    let BuildEvent::Finished { steps, .. } = world.finished(build).await else { panic!() };
    let told: Vec<_> = steps.iter().map(|step| (step.name, step.exit_code)).collect();
    assert_eq!(told, [(Clone, None)]);
}
