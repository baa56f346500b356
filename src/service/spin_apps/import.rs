//! Archives of Spin apps, ours and others', as new functions.

use bytes::Bytes;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::metadata::{self, Metadata};
use super::{Files, GITIGNORE, OTHER_README, README, SpinApps, archive, manifest};
use crate::model::error::{Error, Result};
use crate::model::function::{
    Code, Environment, Function, HttpMethod, HttpMethods, InstanceReuse, Memory, OutboundHost,
    Timeout,
};
use crate::model::id::WorkspaceId;
use crate::model::source::SourceKind;
use crate::model::workspace::{MAX_NAME, Name};
use crate::port::builder::SpinManifest;
use crate::service::actor::Actor;
use crate::service::functions::{
    NewFunction, NewPackage, SourceUpload, entry_code, manifest_environment, manifest_hosts,
};

/// The module of a function that is one.
const MODULE: &str = "app.py";

/// What happens to a function whose name another one of the workspace has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// Nothing is imported.
    #[default]
    Refuse,
    /// It gets a number: `Approve 2`.
    Rename,
}

impl SpinApps {
    /// One function of a module or an archive. `name` goes before what the archive says.
    pub async fn import_function(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        upload: SourceUpload,
        name: Option<Name>,
        on_conflict: OnConflict,
    ) -> Result<Function> {
        let stem = name_of_file(&upload.file_name);
        let mut new = if upload.is_package() {
            let files = self.functions.unpack(upload.content).await?;
            self.read_app(files, &stem).await?
        } else {
            self.read_module(&upload, &stem).await?
        };
        if let Some(name) = name {
            new.name = name;
        }
        let mut all = vec![new];
        self.settle_names(workspace, &mut all, on_conflict).await?;
        match all.pop() {
            Some(new) => {
                let (function, _) = self.functions.create(actor, workspace, new).await?;
                Ok(function)
            }
            None => Err(nothing_to_import()),
        }
    }

    /// Every function of an archive with a folder each, or none of them. Answers them without code.
    pub async fn import_workspace(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        upload: SourceUpload,
        on_conflict: OnConflict,
    ) -> Result<Vec<Function>> {
        if !upload.is_package() {
            return Err(Error::validation(
                "file",
                "Upload the .zip archive of a workspace.",
            ));
        }
        let stem = name_of_file(&upload.file_name);
        let files = self.functions.unpack(upload.content).await?;
        let mut all = Vec::new();
        for (folder, files) in apps(files) {
            let name = folder.as_deref().unwrap_or(&stem);
            let read = self.read_app(files, name).await;
            all.push(read.map_err(|error| match &folder {
                Some(folder) => Error {
                    message: format!("{folder}: {}", error.message),
                    ..error
                },
                None => error,
            })?);
        }
        if all.is_empty() {
            return Err(nothing_to_import());
        }
        self.settle_names(workspace, &mut all, on_conflict).await?;
        self.functions.create_all(actor, workspace, all).await
    }

    async fn read_module(&self, upload: &SourceUpload, name: &str) -> Result<NewFunction> {
        let (tree, _) = self.functions.read_upload(upload).await?;
        let code = entry_code(tree.files.get(&tree.entry))?;
        new_function(name, None, &Settings::default(), code, None)
    }

    /// The function that an app is, checked; nothing is stored. `name` is for one that says none itself.
    async fn read_app(&self, mut files: Files, name: &str) -> Result<NewFunction> {
        let metadata = files.remove(metadata::FILE);
        let metadata = metadata
            .map(|content| Metadata::read(&content))
            .transpose()?;
        let (tree, _) = self.functions.read_files(files.clone()).await?;
        let settings = Settings::of(tree.manifest.as_ref(), metadata.as_ref())?;
        let own_name = tree.manifest.map(|manifest| manifest.component);
        let name = own_name.as_deref().unwrap_or(name);
        let Some(metadata) = metadata else {
            return self.package(files, name, None, &settings).await;
        };
        let source = metadata.restore(files.clone());
        if let Some(module) = sole_module(&source, &metadata) {
            let code = entry_code(Some(module))?;
            return new_function(name, Some(metadata), &settings, code, None);
        }
        // Where only what was generated says which module is the entry, it becomes part of the source.
        let source = match self.functions.read_files(source.clone()).await {
            Ok(_) => source,
            Err(_) => files,
        };
        self.package(source, name, Some(metadata), &settings).await
    }

    async fn package(
        &self,
        files: Files,
        name: &str,
        metadata: Option<Metadata>,
        settings: &Settings,
    ) -> Result<NewFunction> {
        let (tree, summary) = self.functions.read_files(files.clone()).await?;
        let code = entry_code(tree.files.get(&tree.entry))?;
        let archive = archive::pack(files).await?;
        let package = NewPackage { archive, summary };
        new_function(name, metadata, settings, code, Some(package))
    }

    /// Refuses names that functions of the workspace have, or numbers them. Two of one archive may have the same, as two of a workspace may.
    async fn settle_names(
        &self,
        workspace: &WorkspaceId,
        all: &mut [NewFunction],
        on_conflict: OnConflict,
    ) -> Result<()> {
        let records = self.functions.records(workspace).await?;
        let taken: HashSet<Name> = records.into_iter().map(|record| record.name).collect();
        let conflicts: BTreeSet<&str> = all
            .iter()
            .filter(|new| taken.contains(&new.name))
            .map(|new| new.name.as_str())
            .collect();
        if conflicts.is_empty() {
            return Ok(());
        }
        if on_conflict == OnConflict::Refuse {
            return Err(names_taken(&conflicts));
        }
        let mut used = taken.clone();
        used.extend(all.iter().map(|new| new.name.clone()));
        // How far each name was counted: with many of one name, counting anew for each would take long.
        let mut numbers: HashMap<String, u32> = HashMap::new();
        for new in all.iter_mut().filter(|new| taken.contains(&new.name)) {
            let stem: String = new.name.as_str().chars().take(MAX_NAME - 6).collect();
            let number = numbers.entry(stem.clone()).or_insert(1);
            loop {
                *number += 1;
                let name = Name::parse(format!("{stem} {number}"))?;
                if used.insert(name.clone()) {
                    new.name = name;
                    break;
                }
            }
        }
        Ok(())
    }
}

fn names_taken(conflicts: &BTreeSet<&str>) -> Error {
    const NAMED: usize = 20;
    let mut list: Vec<String> = conflicts
        .iter()
        .take(NAMED)
        .map(|name| (*name).to_owned())
        .collect();
    if conflicts.len() > NAMED {
        list.push(format!("{} more", conflicts.len() - NAMED));
    }
    Error::conflict(format!(
        "Nothing was imported: the workspace has functions of these names already: {}. Rename them, or send on_conflict=rename to have the new ones numbered.",
        list.join(", ")
    ))
    .with_field("name")
}

fn nothing_to_import() -> Error {
    Error::validation(
        "file",
        "The archive holds no function. Each has a folder of its own, with its spin.toml or its Python module in it.",
    )
}

/// What a function has beside its source.
#[derive(Default)]
struct Settings {
    environment: Environment,
    hosts: Vec<OutboundHost>,
    /// Of an app that says nothing of methods: Spin lets all of them pass.
    any_method: bool,
}

impl Settings {
    fn of(manifest: Option<&SpinManifest>, metadata: Option<&Metadata>) -> Result<Self> {
        let said = manifest.cloned().unwrap_or_default();
        let hosts = manifest_hosts(&said)?;
        let mut environment = said.environment;
        // Exported without values: empty ones show what is to be filled in.
        for name in metadata
            .iter()
            .flat_map(|metadata| &metadata.function.environment)
        {
            environment.entry(name.clone()).or_default();
        }
        Ok(Self {
            environment: manifest_environment(environment)?,
            hosts,
            any_method: manifest.is_some(),
        })
    }
}

fn new_function(
    name: &str,
    metadata: Option<Metadata>,
    settings: &Settings,
    code: Code,
    package: Option<NewPackage>,
) -> Result<NewFunction> {
    let mut new = NewFunction {
        name: Name::parse(name.chars().take(MAX_NAME).collect::<String>())?,
        description: None,
        memory: Memory::default(),
        timeout: Timeout::default(),
        http_methods: if settings.any_method {
            HttpMethods::parse(HttpMethod::ALL)?
        } else {
            HttpMethods::default()
        },
        environment: settings.environment.clone(),
        allowed_outbound_hosts: settings.hosts.clone(),
        instance_reuse: InstanceReuse::None,
        invocation_url: None,
        deploy_on_save: false,
        disabled: false,
        last_deployed: None,
        code,
        package,
    };
    if let Some(Metadata { function, .. }) = metadata {
        new.name = function.name;
        new.description = function
            .description
            .filter(|description| !description.as_str().is_empty());
        new.memory = function.memory;
        new.timeout = function.timeout;
        new.http_methods = function.http_methods;
        new.instance_reuse = function.instance_reuse;
        new.deploy_on_save = function.deploy_on_save;
    }
    Ok(new)
}

/// The module of a function that was one when it was exported, unless files or requirements were added since.
fn sole_module<'a>(source: &'a Files, metadata: &Metadata) -> Option<&'a Bytes> {
    let says_nothing = |path: &str| {
        metadata.is_generated(path)
            && matches!(path, manifest::FILE | README | OTHER_README | GITIGNORE)
    };
    let is_sole = source
        .keys()
        .all(|path| path == MODULE || says_nothing(path));
    source
        .get(MODULE)
        .filter(|_| is_sole && metadata.function.kind == SourceKind::File)
}

/// The apps of an archive by their folders. An archive that is one app itself is the only one.
fn apps(files: Files) -> Vec<(Option<String>, Files)> {
    let is_app = files.keys().any(|path| {
        let is_python = std::path::Path::new(path)
            .extension()
            .is_some_and(|extension| extension == "py");
        !path.contains('/')
            && (is_python || matches!(path.as_str(), manifest::FILE | metadata::FILE))
    });
    if is_app {
        return vec![(None, files)];
    }
    let mut folders: BTreeMap<String, Files> = BTreeMap::new();
    for (path, content) in files {
        if let Some((folder, rest)) = path.split_once('/') {
            folders
                .entry(folder.to_owned())
                .or_default()
                .insert(rest.to_owned(), content);
        }
    }
    folders
        .into_iter()
        .map(|(folder, files)| (Some(folder), files))
        .collect()
}

/// `My shop.zip` as a function's name.
fn name_of_file(file_name: &str) -> String {
    let base = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem).trim();
    if stem.is_empty() {
        "function".to_owned()
    } else {
        stem.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> Files {
        paths
            .iter()
            .map(|path| ((*path).to_owned(), Bytes::new()))
            .collect()
    }

    fn folders(paths: &[&str]) -> Vec<Option<String>> {
        apps(files(paths))
            .into_iter()
            .map(|(folder, _)| folder)
            .collect()
    }

    #[test]
    fn each_folder_is_an_app_unless_the_archive_is_one() {
        assert_eq!(
            folders(&["README.md", "b/app.py", "a/app.py", "a/x/y.py"]),
            [Some("a".to_owned()), Some("b".to_owned())]
        );
        for own in ["spin.toml", "blue-faas.toml", "app.py"] {
            assert_eq!(folders(&[own, "a/app.py"]), [None]);
        }
        assert!(folders(&["README.md"]).is_empty());
    }

    #[test]
    fn a_file_gives_its_name() {
        for (file, name) in [
            ("My shop.zip", "My shop"),
            ("C:\\x\\a.b.py", "a.b"),
            (".zip", "function"),
            ("", "function"),
        ] {
            assert_eq!(name_of_file(file), name);
        }
    }
}
