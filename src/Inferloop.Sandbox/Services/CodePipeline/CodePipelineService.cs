using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CodePipeline;

/// <summary>CodePipeline: pipelines, and executions that go from stage to stage on the clock.</summary>
internal sealed partial class CodePipelineService : SandboxService
{
    public CodePipelineService(SandboxRuntime runtime)
        : base(runtime, "codepipeline")
    {
        On("CreatePipeline", CreatePipeline);
        On("UpdatePipeline", (context, input) =>
        {
            var given = input.Child("pipeline")!.Copy();
            var present = Pipeline(context, given.Required("name"));
            Check(given);
            given["version"] = (present.Child("_Pipeline")!.Int("version") ?? 1) + 1;
            given["pipelineType"] ??= present.Child("_Pipeline")!.Text("pipelineType");
            given["executionMode"] ??= "SUPERSEDED";
            Pipelines(context).Update(given.Required("name"), document =>
            {
                document["_Pipeline"] = given.Copy();
                document["_Updated"] = Documents.Time(context.Now);
            });
            return new JsonObject { ["pipeline"] = given };
        });
        On("GetPipeline", (context, input) =>
        {
            var found = Pipeline(context, input.Required("name"));
            return new JsonObject
            {
                ["pipeline"] = found["_Pipeline"].Copy(),
                ["metadata"] = new JsonObject { ["pipelineArn"] = Arn(context, input.Required("name")), ["created"] = found["_Created"].Copy(), ["updated"] = found["_Updated"].Copy() },
            };
        });
        On("DeletePipeline", (context, input) =>
        {
            Pipelines(context).Remove(input.Required("name"));
            return [];
        });
        On("ListPipelines", (context, input) => Pages.Answer(input, Pipelines(context).All().Select(item => item.Child("_Pipeline")!.Pick("name", "version", "pipelineType", "executionMode")
            .With("created", item["_Created"].Copy()).With("updated", item["_Updated"].Copy())).ToList(), "pipelines", "maxResults", "nextToken", 100, "InvalidNextTokenException"));
        On("EnableStageTransition", (context, input) => Transition(context, input, true));
        On("DisableStageTransition", (context, input) => Transition(context, input, false));
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("tags"), "key", "value")));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("tagKeys"), "key")));
        On("ListTagsForResource", (context, input) => Pages.Answer(input, Pipeline(context, NameOf(input)).Objects("_Tags").Select(tag => tag.Copy()).ToList(), "tags", "maxResults", "nextToken", 100, "InvalidNextTokenException"));
        AddExecutions();
    }

    private Collection Pipelines(RequestContext context) => Collection(context, "pipelines");

    private static string Arn(RequestContext context, string name) => context.Arn("codepipeline", name);

    private static string NameOf(JsonObject input) => input.Required("resourceArn").Split(':')[^1];

    private static ServiceFault Invalid(string message) => new("InvalidStructureException", message);

    private JsonObject Pipeline(RequestContext context, string name) => Pipelines(context).Get(name)
        ?? throw new ServiceFault("PipelineNotFoundException", $"Account '{context.AccountId}' does not have a pipeline with name '{name}'");

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Pipelines(context).Update(Pipeline(context, NameOf(input)).Child("_Pipeline")!.Required("name"), change);
        return [];
    }

    private static void Check(JsonObject pipeline)
    {
        var stages = pipeline.Objects("stages").ToList();
        if (stages.Count < 2)
        {
            throw Invalid("Pipeline has only one stage. There should be a minimum of two stages in a pipeline");
        }
        if (pipeline.Has("artifactStore") == pipeline.Has("artifactStores"))
        {
            throw Invalid("You must use either artifactStore or artifactStores, but not both");
        }
        if (stages.GroupBy(stage => stage.Text("name")).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw Invalid($"Stage names must be unique within a pipeline: {twice.Key}");
        }
        if (!stages[0].Objects("actions").All(action => action.Child("actionTypeId")?.Text("category") == "Source"))
        {
            throw Invalid("Pipeline should start with a stage that only contains source actions");
        }
        if (stages.Skip(1).SelectMany(stage => stage.Objects("actions")).FirstOrDefault(action => action.Child("actionTypeId")?.Text("category") == "Source") is { } late)
        {
            throw Invalid($"Pipeline should only have source actions in the first stage: {late.Text("name")}");
        }
        var made = new HashSet<string>(StringComparer.Ordinal);
        foreach (var stage in stages)
        {
            var outputs = new List<string>();
            foreach (var action in stage.Objects("actions").OrderBy(action => action.Int("runOrder") ?? 1))
            {
                if (action.Objects("inputArtifacts").FirstOrDefault(artifact => !made.Contains(artifact.Required("name")) && !outputs.Contains(artifact.Required("name"))) is { } missing)
                {
                    throw Invalid($"Action {action.Text("name")} in stage {stage.Text("name")} uses the input artifact {missing.Text("name")}, which no action before it produces");
                }
                outputs.AddRange(action.Objects("outputArtifacts").Select(artifact => artifact.Required("name")));
            }
            made.UnionWith(outputs);
        }
    }

    private JsonObject CreatePipeline(RequestContext context, JsonObject input)
    {
        var pipeline = input.Child("pipeline")!.Copy();
        Check(pipeline);
        pipeline["version"] = 1;
        pipeline["pipelineType"] ??= "V1";
        pipeline["executionMode"] ??= "SUPERSEDED";
        var name = pipeline.Required("name");
        var document = new JsonObject
        {
            ["_Pipeline"] = pipeline.Copy(),
            ["_Created"] = Documents.Time(context.Now),
            ["_Updated"] = Documents.Time(context.Now),
            ["_Tags"] = input["tags"].Copy() ?? new JsonArray(),
            ["_Closed"] = new JsonObject(),
            ["_Stages"] = new JsonObject(),
        };
        if (!Pipelines(context).TryAdd(name, document))
        {
            throw new ServiceFault("PipelineNameInUseException", $"A pipeline with the name '{name}' already exists in account '{context.AccountId}'");
        }
        // A new pipeline runs once by itself.
        Start(context, name, "CreatePipeline", context.PrincipalArn, null);
        return new JsonObject { ["pipeline"] = pipeline }.With("tags", input["tags"].Copy());
    }

    private JsonObject Transition(RequestContext context, JsonObject input, bool open)
    {
        var name = input.Required("pipelineName");
        var stage = input.Required("stageName");
        if (!Pipeline(context, name).Child("_Pipeline")!.Objects("stages").Any(item => item.Text("name") == stage))
        {
            throw new ServiceFault("StageNotFoundException", $"Pipeline '{name}' does not have a stage with name '{stage}'");
        }
        Pipelines(context).Update(name, document =>
        {
            var closed = document.ChildOrNew("_Closed");
            if (open)
            {
                closed.Remove(stage);
            }
            else
            {
                closed[stage] = new JsonObject { ["disabledReason"] = input.Text("reason"), ["lastChangedBy"] = context.PrincipalArn, ["lastChangedAt"] = Documents.Time(context.Now) };
            }
        });
        return [];
    }

}
