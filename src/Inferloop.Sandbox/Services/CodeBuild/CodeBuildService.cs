using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CodeBuild;

/// <summary>
/// CodeBuild: projects, and builds that go through their phases on the clock. Nothing is executed; a build fails in the phase that its
/// environment variable <c>SANDBOX_FAIL_PHASE</c> names.
/// </summary>
internal sealed partial class CodeBuildService : SandboxService
{
    private const string FailPhase = "SANDBOX_FAIL_PHASE";
    private static readonly string[] Phases = ["QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS", "FINALIZING"];

    private static readonly string[] ProjectMembers =
    [
        "name", "description", "source", "secondarySources", "sourceVersion", "secondarySourceVersions", "artifacts", "secondaryArtifacts", "cache", "environment", "serviceRole", "timeoutInMinutes", "queuedTimeoutInMinutes",
        "encryptionKey", "tags", "vpcConfig", "logsConfig", "fileSystemLocations", "buildBatchConfig", "concurrentBuildLimit", "autoRetryLimit",
    ];

    public CodeBuildService(SandboxRuntime runtime)
        : base(runtime, "codebuild")
    {
        On("CreateProject", CreateProject);
        On("UpdateProject", UpdateProject);
        On("DeleteProject", (context, input) =>
        {
            Projects(context).Remove(NameOf(input.Required("name")));
            return [];
        });
        On("BatchGetProjects", (context, input) =>
        {
            var names = input.Texts("names").Select(NameOf).ToList();
            return new JsonObject { ["projects"] = names.Select(name => Projects(context).Get(name)).OfType<JsonObject>().ToJsonList() }
                .With("projectsNotFound", names.Where(name => !Projects(context).Contains(name)).ToTextList());
        });
        On("ListProjects", (context, input) => Pages.AnswerTexts(input, Sorted(input, Projects(context).Keys()), "projects", tokenMember: "nextToken", tokenErrorCode: "InvalidInputException"));
        On("StartBuild", (context, input) => new JsonObject { ["build"] = Start(context, input, null) });
        On("RetryBuild", (context, input) =>
        {
            var build = Build(context, input.Required("id"));
            return new JsonObject { ["build"] = Start(context, new JsonObject { ["projectName"] = build.Text("projectName") }.Take(build, "sourceVersion"), build) };
        });
        On("StopBuild", (context, input) => new JsonObject { ["build"] = Stop(context, Build(context, input.Required("id"))) });
        On("BatchGetBuilds", (context, input) =>
        {
            var ids = input.Texts("ids").Select(IdOf).ToList();
            return new JsonObject { ["builds"] = ids.Select(id => Builds(context).Get(id)).OfType<JsonObject>().ToJsonList() }.With("buildsNotFound", ids.Where(id => !Builds(context).Contains(id)).ToTextList());
        });
        On("BatchDeleteBuilds", (context, input) =>
        {
            var (gone, kept) = (new List<string>(), new JsonArray());
            foreach (var id in input.Texts("ids").Select(IdOf))
            {
                if (Builds(context).Get(id) is { } build && build.Is("buildComplete"))
                {
                    Builds(context).Remove(id);
                    gone.Add(build.Required("arn"));
                }
                else
                {
                    kept.Add((JsonNode)new JsonObject { ["id"] = id, ["statusCode"] = Builds(context).Contains(id) ? "BUILD_IN_PROGRESS" : "BUILD_NOT_FOUND" });
                }
            }
            return new JsonObject { ["buildsDeleted"] = gone.ToTextList(), ["buildsNotDeleted"] = kept };
        });
        On("ListBuilds", (context, input) => Ids(input, Builds(context).All()));
        On("ListBuildsForProject", (context, input) => Ids(input, Builds(context).Where(build => build.Text("projectName") == Project(context, input.Required("projectName")).Text("name"))));
        On("ListCuratedEnvironmentImages", (_, _) => Images());
        AddSources();
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9\-_]{1,149}\z")]
    private static partial Regex NamePattern();

    private Collection Projects(RequestContext context) => Collection(context, "projects");

    private Collection Builds(RequestContext context) => Collection(context, "builds");

    private static ServiceFault Invalid(string message) => new("InvalidInputException", message);

    private static string NameOf(string nameOrArn) => nameOrArn.Split(":project/")[^1];

    private static string IdOf(string idOrArn) => idOrArn.Split(":build/")[^1];

    private JsonObject Project(RequestContext context, string name) => Projects(context).Get(NameOf(name))
        ?? throw new ServiceFault("ResourceNotFoundException", $"Project cannot be found: {context.Arn("codebuild", "project/" + NameOf(name))}");

    private JsonObject Build(RequestContext context, string id) => Builds(context).Get(IdOf(id)) ?? throw new ServiceFault("ResourceNotFoundException", $"Build {id} cannot be found.");

    private static List<string> Sorted(JsonObject input, IReadOnlyList<string> names) => input.Text("sortOrder") == "DESCENDING" ? names.Reverse().ToList() : names.ToList();

    private static JsonObject Ids(JsonObject input, IReadOnlyList<JsonObject> builds)
    {
        var ordered = builds.OrderByDescending(build => build.Long("_Order")).Select(build => build.Required("id")).ToList();
        if (input.Text("sortOrder") == "ASCENDING")
        {
            ordered.Reverse();
        }
        return Pages.AnswerTexts(input, ordered, "ids", tokenMember: "nextToken", tokenErrorCode: "InvalidInputException");
    }

    private static JsonObject Images() => new()
    {
        ["platforms"] = new JsonArray(new JsonObject
        {
            ["platform"] = "AMAZON_LINUX",
            ["languages"] = new JsonArray(new JsonObject
            {
                ["language"] = "BASE",
                ["images"] = new JsonArray(((string[])["aws/codebuild/amazonlinux-x86_64-standard:5.0", "aws/codebuild/amazonlinux-aarch64-standard:3.0"]).Select(name => (JsonNode)new JsonObject { ["name"] = name, ["description"] = "AWS CodeBuild - Docker image with Amazon Linux 2023" }).ToArray()),
            }),
        }),
    };

    private static void Check(RequestContext context, JsonObject project)
    {
        if (project.Child("source") is { } source)
        {
            var type = source.Text("type");
            if (type is not ("CODEPIPELINE" or "NO_SOURCE") && source.Text("location") is not { Length: > 0 })
            {
                throw Invalid("Invalid project source: location is required");
            }
            if (type == "NO_SOURCE" && source.Text("buildspec") is not { Length: > 0 })
            {
                throw Invalid("Project source type is NO_SOURCE, buildspec is required");
            }
            if ((type == "CODEPIPELINE") != (project.Child("artifacts")?.Text("type") == "CODEPIPELINE"))
            {
                throw Invalid("Project source and artifacts type must both be CODEPIPELINE, or neither");
            }
        }
        if (project.Child("artifacts") is { } artifacts && artifacts.Text("type") == "S3" && artifacts.Text("location") is not { Length: > 0 })
        {
            throw Invalid("Invalid artifacts: location is required for type S3");
        }
        if (project.Text("serviceRole") is { } role)
        {
            if (!role.StartsWith("arn:", StringComparison.Ordinal) || !role.Contains(":role/", StringComparison.Ordinal))
            {
                throw Invalid("Invalid service role: Service role account ID does not match caller's account");
            }
            if (role.Split(':')[4] != context.AccountId)
            {
                throw Invalid("Invalid service role: Service role account ID does not match caller's account");
            }
        }
        if (project.Int("timeoutInMinutes") is { } timeout && timeout is < 5 or > 2160)
        {
            throw Invalid("Invalid timeoutInMinutes: must be between 5 and 2160");
        }
    }

    private JsonObject CreateProject(RequestContext context, JsonObject input)
    {
        var name = input.Required("name");
        if (!NamePattern().IsMatch(name))
        {
            throw Invalid($"Invalid project name: {name}");
        }
        Check(context, input);
        var project = input.Pick(ProjectMembers);
        project["arn"] = context.Arn("codebuild", "project/" + name);
        project["created"] = Documents.Time(context.Now);
        project["lastModified"] = Documents.Time(context.Now);
        project["timeoutInMinutes"] ??= 60;
        project["queuedTimeoutInMinutes"] ??= 480;
        project["encryptionKey"] ??= context.Arn("kms", "alias/aws/s3");
        project["cache"] ??= new JsonObject { ["type"] = "NO_CACHE" };
        project["tags"] ??= new JsonArray();
        project["badge"] = new JsonObject { ["badgeEnabled"] = input.Is("badgeEnabled") };
        project["projectVisibility"] = "PRIVATE";
        return Projects(context).TryAdd(name, project) ? new JsonObject { ["project"] = project } : throw new ServiceFault("ResourceAlreadyExistsException", $"Project already exists: {project.Text("arn")}");
    }

    private JsonObject UpdateProject(RequestContext context, JsonObject input)
    {
        var project = Project(context, input.Required("name"));
        project.Take(input, ProjectMembers);
        Check(context, project);
        project["lastModified"] = Documents.Time(context.Now);
        Projects(context).Put(project.Required("name"), project);
        return new JsonObject { ["project"] = project };
    }

    private long order;

    /// <summary>Starts a build; for pipelines too.</summary>
    public JsonObject Start(RequestContext context, JsonObject input, JsonObject? again)
    {
        var project = Project(context, input.Required("projectName"));
        if (project.Int("concurrentBuildLimit") is { } limit && Builds(context).Where(item => item.Text("projectName") == project.Text("name") && !item.Is("buildComplete")).Count >= limit)
        {
            throw new ServiceFault("AccountLimitExceededException", $"Cannot have more than {limit} builds in queue for the project");
        }
        var name = project.Required("name");
        var id = $"{name}:{Runtime.Ids.Uuid()}";
        var number = (project.Long("_Builds") ?? 0) + 1;
        Projects(context).Update(name, document => document["_Builds"] = number);
        var environment = (again?.Child("environment") ?? project.Child("environment"))!.Copy();
        foreach (var variable in input.Objects("environmentVariablesOverride"))
        {
            var list = environment.ListOrNew("environmentVariables");
            if (list.OfType<JsonObject>().FirstOrDefault(item => item.Text("name") == variable.Text("name")) is { } old)
            {
                list.Remove(old);
            }
            list.Add(variable.DeepClone());
        }
        environment.With("image", input.Text("imageOverride")).With("computeType", input.Text("computeTypeOverride"));
        var stream = id.Split(':')[1];
        var group = project.Child("logsConfig")?.Child("cloudWatchLogs")?.Text("groupName") ?? "/aws/codebuild/" + name;
        var version = input.Text("sourceVersion") ?? project.Text("sourceVersion");
        var build = new JsonObject
        {
            ["id"] = id,
            ["arn"] = context.Arn("codebuild", "build/" + id),
            ["buildNumber"] = number,
            ["startTime"] = Documents.Time(context.Now),
            ["currentPhase"] = "QUEUED",
            ["buildStatus"] = "IN_PROGRESS",
            ["buildComplete"] = false,
            ["projectName"] = name,
            ["initiator"] = context.PrincipalArn.Split(':')[^1],
            ["phases"] = new JsonArray(
                new JsonObject { ["phaseType"] = "SUBMITTED", ["phaseStatus"] = "SUCCEEDED", ["startTime"] = Documents.Time(context.Now), ["endTime"] = Documents.Time(context.Now), ["durationInSeconds"] = 0 },
                new JsonObject { ["phaseType"] = "QUEUED", ["startTime"] = Documents.Time(context.Now) }),
            ["environment"] = environment,
            ["logs"] = new JsonObject { ["groupName"] = group, ["streamName"] = stream, ["cloudWatchLogsArn"] = context.Arn("logs", $"log-group:{group}:log-stream:{stream}") },
            ["_Order"] = Interlocked.Increment(ref order),
        }.Take(project, "source", "secondarySources", "artifacts", "cache", "serviceRole", "timeoutInMinutes", "queuedTimeoutInMinutes", "encryptionKey", "vpcConfig").With("sourceVersion", version);
        if (version is not null)
        {
            build["resolvedSourceVersion"] = version.Length == 40 ? version : Runtime.Ids.Hex(40);
        }
        Builds(context).Put(id, build);
        Advance(context.Detached(), id, 0);
        return build;
    }

    private static TimeSpan LengthOf(string phase) => phase switch { "QUEUED" => Durations.BuildQueued, "PROVISIONING" => Durations.BuildProvisioning, "BUILD" => Durations.BuildRun, _ => Durations.BuildPhase };

    /// <summary>Ends a phase when its time has come and begins the next.</summary>
    private void Advance(RequestContext context, string id, int phase) => Runtime.After(LengthOf(Phases[phase]), () =>
    {
        if (Builds(context).Get(id) is not { } build || build.Is("buildComplete"))
        {
            return;
        }
        var name = Phases[phase];
        var fails = build.Child("environment")?.Objects("environmentVariables").Any(variable => variable.Text("name") == FailPhase && variable.Text("value") == name) == true;
        var last = fails || phase == Phases.Length - 1;
        Builds(context).Update(id, document =>
        {
            Close(document, fails ? "FAILED" : "SUCCEEDED", fails ? $"COMMAND_EXECUTION_ERROR: {FailPhase} asks for a failure in {name}. Reason: exit status 1" : null);
            if (last)
            {
                Complete(document, fails ? "FAILED" : "SUCCEEDED");
            }
            else
            {
                document["currentPhase"] = Phases[phase + 1];
                document.ListOrNew("phases").Add((JsonNode)new JsonObject { ["phaseType"] = Phases[phase + 1], ["startTime"] = Documents.Time(Runtime.Clock.Now) });
            }
        });
        Log(context, build, $"[Container] Phase complete: {name} State: {(fails ? "FAILED" : "SUCCEEDED")}");
        if (!last)
        {
            Advance(context, id, phase + 1);
        }
        else
        {
            var metrics = Runtime.Service<CloudWatch.CloudWatchService>();
            metrics.Publish(context, "AWS/CodeBuild", fails ? "FailedBuilds" : "SucceededBuilds", 1, "Count", ("ProjectName", build.Required("projectName")));
            metrics.Publish(context, "AWS/CodeBuild", "Duration", (Runtime.Clock.Now - (build.TimeOf("startTime") ?? Runtime.Clock.Now)).TotalSeconds, "Seconds", ("ProjectName", build.Required("projectName")));
        }
    });

    private void Close(JsonObject build, string status, string? message)
    {
        var phase = build.Objects("phases").Last();
        var now = Runtime.Clock.Now;
        phase["phaseStatus"] = status;
        phase["endTime"] = Documents.Time(now);
        phase["durationInSeconds"] = (long)(now - (phase.TimeOf("startTime") ?? now)).TotalSeconds;
        if (message is not null)
        {
            phase["contexts"] = new JsonArray(new JsonObject { ["statusCode"] = "COMMAND_EXECUTION_ERROR", ["message"] = message });
        }
    }

    private void Complete(JsonObject build, string status)
    {
        build["buildStatus"] = status;
        build["buildComplete"] = true;
        build["currentPhase"] = "COMPLETED";
        build["endTime"] = Documents.Time(Runtime.Clock.Now);
        build.ListOrNew("phases").Add((JsonNode)new JsonObject { ["phaseType"] = "COMPLETED", ["startTime"] = Documents.Time(Runtime.Clock.Now) });
    }

    private JsonObject Stop(RequestContext context, JsonObject build)
    {
        if (build.Is("buildComplete"))
        {
            return build;
        }
        return Builds(context).Update(build.Required("id"), document =>
        {
            Close(document, "STOPPED", null);
            Complete(document, "STOPPED");
        })!;
    }

    private void Log(RequestContext context, JsonObject build, string line)
    {
        var logs = build.Child("logs")!;
        var service = Runtime.Service<Logs.LogsService>();
        if (service.EnsureGroup(context, logs.Required("groupName"), create: true))
        {
            service.Write(context, logs.Required("groupName"), logs.Required("streamName"), $"[{Runtime.Clock.Now.UtcDateTime.ToString("yyyy/MM/dd HH:mm:ss", CultureInfo.InvariantCulture)}] {line}");
        }
    }

    private void AddSources()
    {
        Collection Credentials(RequestContext context) => Collection(context, "credentials");
        On("ImportSourceCredentials", (context, input) =>
        {
            var arn = context.Arn("codebuild", $"token/{input.Required("serverType").ToLowerInvariant()}");
            if (Credentials(context).Contains(arn) && input.Flag("shouldOverwrite") == false)
            {
                throw new ServiceFault("ResourceAlreadyExistsException", "Source credentials exist already.");
            }
            // The token itself is not kept: nothing here would use it.
            Credentials(context).Put(arn, new JsonObject { ["arn"] = arn, ["serverType"] = input.Text("serverType"), ["authType"] = input.Text("authType") });
            return new JsonObject { ["arn"] = arn };
        });
        On("ListSourceCredentials", (context, _) => new JsonObject { ["sourceCredentialsInfos"] = Credentials(context).All().ToJsonList() });
        On("DeleteSourceCredentials", (context, input) => Credentials(context).Remove(input.Required("arn")) ? new JsonObject { ["arn"] = input.Text("arn") } : throw new ServiceFault("ResourceNotFoundException", "Source credentials cannot be found."));
        On("CreateWebhook", (context, input) =>
        {
            var project = Project(context, input.Required("projectName"));
            if (project.Has("webhook"))
            {
                throw new ServiceFault("ResourceAlreadyExistsException", $"Webhook for project {project.Text("name")} exists already.");
            }
            return new JsonObject { ["webhook"] = PutWebhook(context, project, input) };
        });
        On("UpdateWebhook", (context, input) => new JsonObject
        {
            ["webhook"] = PutWebhook(context, Project(context, input.Required("projectName")) is var project && project.Has("webhook") ? project : throw new ServiceFault("ResourceNotFoundException", "The project has no webhook."), input),
        });
        On("DeleteWebhook", (context, input) =>
        {
            Projects(context).Update(Project(context, input.Required("projectName")).Required("name"), document => document.Remove("webhook"));
            return [];
        });
    }

    private JsonObject PutWebhook(RequestContext context, JsonObject project, JsonObject input)
    {
        var webhook = (project.Child("webhook")?.Copy() ?? new JsonObject { ["payloadUrl"] = $"https://codebuild.{context.Region}.{context.DnsSuffix}/webhooks?t={Runtime.Ids.Hex(32)}", ["status"] = "ACTIVE" }).Take(input, "branchFilter", "filterGroups", "buildType", "manualCreation");
        webhook.With("url", project.Child("source")?.Text("location"));
        Projects(context).Update(project.Required("name"), document => document["webhook"] = webhook.Copy());
        return webhook;
    }
}
