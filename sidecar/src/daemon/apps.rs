//! Every app that the daemon takes care of.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::{Mutex, MutexGuard, watch};
use vial_protocol::{AppStatus, Code, Problem};

use super::{place, routing};
use crate::app::context::{Context, Daemon};
use crate::app::handle::App;
use crate::app::paths::Layout;
use crate::app::registry::{Registry, Report};
use crate::app::{recover, values};
use crate::config::{AppConfig, Config};
use crate::route::Route;
use crate::vault::Vault;

/// The apps, and how to change which they are.
pub struct Apps {
    daemon: Daemon,
    layout: Layout,
    registry: watch::Sender<Arc<Registry>>,
    /// One reload at a time.
    turn: Mutex<()>,
}

impl Apps {
    /// Brings every app of the configuration to life.
    pub async fn open(daemon: Daemon, layout: Layout, config: Config) -> Apps {
        let (registry, _) = watch::channel(Arc::new(Registry::default()));
        let apps = Apps { daemon, layout, registry, turn: Mutex::new(()) };
        apps.apply(config).await;
        apps
    }

    /// The apps, now and as they change.
    #[must_use]
    pub fn reader(&self) -> watch::Receiver<Arc<Registry>> {
        self.registry.subscribe()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.registry.borrow().apps.len()
    }

    /// Reads the configuration again. What is broken in it leaves its apps as they are.
    pub async fn reload(&self) -> Report {
        let _turn = self.turn().await;
        let file = self.daemon.host.file.clone();
        // Users are looked up by the host's services, which may take their time.
        let read = tokio::task::spawn_blocking(move || Config::load(&file)).await;
        let read = match read {
            Ok(read) => read.map_err(|error| error.to_string()),
            Err(panic) => Err(panic.to_string()),
        };
        let config = match read {
            Ok(config) => config,
            Err(error) => {
                tracing::error!(error, "the configuration stays as it was");
                let problem = Problem::new(
                    Code::Configuration,
                    format!("The configuration stays as it was: {error}"),
                )
                .next("correct the file, then `vial reload`");
                return Report { problems: vec![problem], warnings: Vec::new() };
            }
        };
        let mut report = self.apply(config.clone()).await;
        if config.host != *self.daemon.host {
            report.warnings.push(
                Problem::new(
                    Code::Configuration,
                    "The host's own settings changed: they take effect when the daemon starts \
                     again.",
                )
                .next("`systemctl restart vial`; the slots run on"),
            );
        }
        tracing::info!(apps = self.count(), problems = report.problems.len(), "reloaded");
        report
    }

    /// Ends what runs in every app's slots, each app by itself and all at once: the host stops.
    pub async fn end(&self) {
        let registry = self.registry.borrow().clone();
        join_all(registry.apps.values().map(App::end)).await;
    }

    /// What readers see of each app, by name.
    #[must_use]
    pub fn statuses(&self) -> Vec<AppStatus> {
        let registry = self.registry.borrow().clone();
        registry.apps.values().map(|app| AppStatus::clone(&app.status())).collect()
    }

    /// Everything that is done with all apps is done one after another.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    async fn apply(&self, config: Config) -> Report {
        let before = self.registry.borrow().apps.clone();
        let mut apps = BTreeMap::new();
        let mut problems = config.problems;
        for (name, wanted) in config.apps {
            match self.app(before.get(&name), wanted).await {
                Ok(app) => {
                    apps.insert(name, app);
                }
                Err(problem) => {
                    if let Some(app) = before.get(&name) {
                        apps.insert(name, app.clone());
                    }
                    problems.push(problem);
                }
            }
        }
        for (name, app) in before {
            if apps.contains_key(&name) {
                continue;
            }
            if config.broken.contains(&name) {
                apps.insert(name, app);
            } else {
                tracing::warn!(app = name, "no longer configured; its slots run on");
                app.release().await;
            }
        }
        for problem in &problems {
            tracing::error!(%problem, "configuration");
        }
        for warning in &config.warnings {
            tracing::warn!(%warning, "configuration");
        }
        let report = Report { problems, warnings: config.warnings };
        self.registry.send_replace(Arc::new(Registry {
            apps,
            problems: report.problems.clone(),
            warnings: report.warnings.clone(),
        }));
        report
    }

    async fn app(&self, before: Option<&App>, wanted: AppConfig) -> Result<App, Problem> {
        match before {
            Some(app) if app.context().config == wanted => Ok(app.clone()),
            Some(app) => {
                let vault = app.context().vault.clone();
                app.configure(self.context(wanted, vault)?).await?;
                Ok(app.clone())
            }
            None => {
                let vault = self.vault(&wanted.name).await?;
                recover::open(self.context(wanted, vault)?).await
            }
        }
    }

    async fn vault(&self, app: &str) -> Result<Arc<Vault>, Problem> {
        let Daemon { store, key, .. } = &self.daemon;
        values::open(store, key.clone(), app).await.map_err(|error| {
            Problem::new(
                Code::Internal,
                format!("{app} cannot be taken care of: {error}. Its slots are not touched."),
            )
            .next("`vial doctor`")
        })
    }

    /// Gives every app up; the slots run on.
    pub async fn release(&self) {
        let registry = self.registry.borrow().clone();
        for app in registry.apps.values() {
            app.release().await;
        }
    }

    fn context(&self, config: AppConfig, vault: Arc<Vault>) -> Result<Arc<Context>, Problem> {
        let layout = self.layout.app(&config.name);
        let failed = |error: std::io::Error| {
            Problem::new(
                Code::Internal,
                format!("{}: {} cannot be used: {error}.", config.name, layout.root().display()),
            )
            .next("check the owner and the mode of the state folder")
        };
        place::app(&layout).map_err(failed)?;
        let cookie = place::secret(&layout.cookie()).map_err(failed)?;
        let token = place::secret(&layout.probe()).map_err(failed)?;
        let route = self.route(&config, &token)?;
        let daemon = self.daemon.clone();
        Ok(Arc::new(Context { daemon, config, layout, cookie, vault, route }))
    }

    fn route(&self, config: &AppConfig, token: &str) -> Result<Option<Arc<Route>>, Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            Problem::new(Code::Route, format!("{}: {error}", config.name)).next("`vial doctor`")
        };
        let settings = routing::settings(&self.daemon.host, &self.layout, config, token)
            .map_err(|error| failed(&error))?;
        let Some(settings) = settings else { return Ok(None) };
        let route = Route::new(settings).map_err(|error| failed(&error))?;
        let prepared = route.prepare().map_err(|error| failed(&error))?;
        if let Some((folder, mode)) = prepared.closed {
            tracing::warn!(
                app = config.name,
                folder = %folder.display(),
                mode = format!("{mode:o}"),
                "Caddy may not be able to pass this folder"
            );
        }
        Ok(Some(Arc::new(route)))
    }
}
