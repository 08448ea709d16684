//! `kill -9` of the daemon at each step that can be met from outside: what the table "The daemon"
//! of the sidecar's README says. Unpacking, starting and baking are in `restart_of_the_daemon`,
//! reverting and restoring in `migrations`.

use nix::sys::signal::Signal;
use vial_protocol::{Code, Slot, Status};

use super::QUICK;
use crate::support::{Host, processes};

const VERIFIED: &str = "bake = \"0s\"\ndrain = { timeout = \"10s\" }\nstop = { timeout = \"5s\" }\n\
                        verify = [\"/slow?ms=500\"]";

fn is_interrupted(deployment: &vial_protocol::Deployment) {
    let error = deployment.error.as_ref().unwrap();
    assert_eq!(
        (deployment.status, error.code),
        (Status::Failed, Code::Interrupted),
        "{deployment:#?}"
    );
    assert!(error.next.is_some(), "{error}");
}

async fn dies_and_comes_back(host: &mut Host) {
    host.kill_daemon();
    host.start_daemon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_before_the_switch_goes_on_or_undoes() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;

    host.reconfigure(&format!("{QUICK}\nmigrate = \"Process.sleep(2000)\"")).await;
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Migrating).await;
    dies_and_comes_back(&mut host).await;
    is_interrupted(&host.until_ended(number).await);
    assert_eq!(host.serving().await, "1.0.0");

    host.reconfigure(VERIFIED).await;
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Verifying).await;
    let pid = host.pid("shop", Slot::Green).await;
    dies_and_comes_back(&mut host).await;
    assert_eq!(host.until_ended(number).await.status, Status::Succeeded);
    assert_eq!(host.pid("shop", Slot::Green).await, pid, "the same process");
    assert_eq!(host.serving().await, "2.0.0");

    // One that waits for a bake: the bake goes on, and it has failed.
    host.reconfigure("bake = \"4s\"\nstop = { timeout = \"5s\" }").await;
    let baking = host.deploy_until_live(1).await.number;
    let client = host.client.clone();
    let waits = tokio::spawn(async move {
        let upload = vial::client::Upload::new(|to| {
            std::io::copy(&mut std::fs::File::open(crate::support::archive(2))?, to).map(drop)
        });
        client.deploy("shop", &vial_protocol::request::Deploy::default(), upload).await
    });
    host.until("shop", |it| it.queued.is_some()).await;
    dies_and_comes_back(&mut host).await;
    assert!(waits.await.unwrap().is_err());
    is_interrupted(&host.until_ended(baking + 1).await);
    assert_eq!(host.until_ended(baking).await.status, Status::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_in_the_switch_or_the_drain_makes_it_again_or_takes_it_back() {
    let mut host = Host::shop(VERIFIED).await;
    host.deploy(1).await;
    for dies_too in [true, false] {
        let number = host.deploy_detached(2).await;
        host.until_deployment(number, |it| it == Status::Verifying).await;
        processes::signal(host.caddy_pid(), Signal::SIGSTOP);
        host.until_deployment(number, |it| it == Status::Switching).await;
        let green = host.pid("shop", Slot::Green).await.unwrap();
        host.kill_daemon();
        if dies_too {
            processes::signal(green, Signal::SIGKILL);
            while processes::is_alive(green) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        processes::signal(host.caddy_pid(), Signal::SIGCONT);
        host.start_daemon().await;
        let ended = host.until_ended(number).await;
        if dies_too {
            is_interrupted(&ended);
            assert_eq!(host.serving().await, "1.0.0");
        } else {
            assert_eq!(ended.status, Status::Succeeded, "{ended:#?}");
            assert_eq!(host.pid("shop", Slot::Green).await, Some(green));
            assert_eq!(host.serving().await, "2.0.0");
        }
    }

    let slow = host.get_slot_slowly();
    let number = host.deploy_detached(1).await;
    host.until_deployment(number, |it| it == Status::Draining).await;
    dies_and_comes_back(&mut host).await;
    assert_eq!(host.status("shop").await.deployment.unwrap().status, Status::Draining);
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    let slow = slow.await.unwrap();
    assert_eq!((slow.status, slow.version.as_str()), (200, "2.0.0"), "nothing was cut off");

    // Nothing in progress: the route is put right.
    host.deploy(2).await;
    host.kill_daemon();
    std::fs::remove_file(host.state.join("route/shop/green")).unwrap();
    host.start_daemon().await;
    let right = host.state.join("route/shop/green");
    let deadline = tokio::time::Instant::now() + crate::support::SOON;
    while !right.exists() {
        assert!(tokio::time::Instant::now() < deadline, "the flag was not put right");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(host.serving().await, "2.0.0");
}

impl Host {
    /// A page that takes its time, in a task of its own.
    fn get_slot_slowly(&self) -> tokio::task::JoinHandle<crate::support::web::Page> {
        let web = self.web;
        tokio::spawn(async move {
            crate::support::web::get(web, "shop.localhost", "/slow?ms=5000").await.unwrap()
        })
    }
}
