using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecr;

/// <summary>Replication of a registry: images that are pushed after it is configured are copied to other regions; deletions are not.</summary>
internal sealed partial class EcrService
{
    private const string RegistryDocuments = "registry";

    private void AddReplication()
    {
        On("DescribeRegistry", (context, _) => new JsonObject { ["registryId"] = context.AccountId, ["replicationConfiguration"] = Replication(context) });
        On("PutReplicationConfiguration", (context, input) =>
        {
            var configuration = input.Child("replicationConfiguration")!;
            foreach (var destination in configuration.Objects("rules").SelectMany(static rule => rule.Objects("destinations")))
            {
                if (!Runtime.EnabledRegions.Contains(destination.Required("region")))
                {
                    throw BadReplication($"'{destination.Text("region")}' is not a valid region");
                }
                if (destination.Text("region") == context.Region && destination.Text("registryId") == context.AccountId)
                {
                    throw BadReplication("A destination must differ from the source registry in its region or its registry id");
                }
            }
            if (configuration.Objects("rules").SelectMany(static rule => rule.Objects("destinations")).Select(static item => item.ToJsonString()).Distinct().Count() > 25)
            {
                throw BadReplication("A replication configuration has at most 25 unique destinations");
            }
            Collection(context, RegistryDocuments).Put(RegistryDocuments, new JsonObject { ["replicationConfiguration"] = configuration.Copy() });
            return new JsonObject { ["replicationConfiguration"] = configuration.Copy() };
        });
        On("PutRegistryPolicy", (context, input) =>
        {
            if (PolicyDocument.Problem(input.Required("policyText"), isResourcePolicy: true, needsResource: true) is { } problem)
            {
                throw new ServiceFault("InvalidParameterException", $"Invalid parameter at 'PolicyText' failed to satisfy constraint: '{problem}'");
            }
            Collection(context, RegistryDocuments).Put("policy", input.Pick("policyText"));
            return input.Pick("policyText").With("registryId", context.AccountId);
        });
        On("GetRegistryPolicy", (context, _) => RegistryPolicy(context));
        On("DeleteRegistryPolicy", (context, _) =>
        {
            var present = RegistryPolicy(context);
            Collection(context, RegistryDocuments).Remove("policy");
            return present;
        });
        On("DescribeImageReplicationStatus", (context, input) =>
        {
            var repository = Repository(context, input);
            var image = Image(repository, input.Child("imageId")!) ?? throw NoImage(repository, input.Child("imageId")!);
            return new JsonObject { ["repositoryName"] = repository.Text("repositoryName"), ["imageId"] = input["imageId"].Copy(), ["replicationStatuses"] = image["replication"].Copy() ?? new JsonArray() };
        });
    }

    private static ServiceFault BadReplication(string problem) =>
        new("InvalidParameterException", $"Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: '{problem}'");

    private JsonObject RegistryPolicy(RequestContext context) => (Collection(context, RegistryDocuments).Get("policy")
        ?? throw new ServiceFault("RegistryPolicyNotFoundException", $"Registry policy does not exist in the registry with id '{context.AccountId}'")).With("registryId", context.AccountId);

    private JsonNode Replication(RequestContext context) => Collection(context, RegistryDocuments).Get(RegistryDocuments)?["replicationConfiguration"].Copy() ?? new JsonObject { ["rules"] = new JsonArray() };

    /// <summary>Sends an image that was pushed where the registry's rules say.</summary>
    private void Replicate(RequestContext context, string repository, string digest, string? tag)
    {
        var destinations = ((JsonObject)Replication(context)).Objects("rules")
            .Where(rule => !rule.Objects("repositoryFilters").Any() || rule.Objects("repositoryFilters").Any(filter => repository.StartsWith(filter.Required("filter"), StringComparison.Ordinal)))
            .SelectMany(static rule => rule.Objects("destinations")).Select(static item => (Region: item.Required("region"), Registry: item.Required("registryId"))).Distinct().ToList();
        foreach (var (region, registry) in destinations)
        {
            var (here, there) = (context.Detached(), context.With(registry, region).Detached());
            SetReplication(here, repository, digest, there, "IN_PROGRESS", null);
            if (!CrossAccount.Allows(Runtime.SystemContext(context.AccountId, context.Region), registry, Collection(there, RegistryDocuments).Get("policy")?.Text("policyText"), "ecr:ReplicateImage", there.Arn("ecr", "repository/" + repository)))
            {
                SetReplication(here, repository, digest, there, "FAILED", "AccessDeniedException");
                continue;
            }
            Runtime.Links.Send(ModelName, repository, context.Region, region, Durations.ImageReplication, () =>
            {
                // Deleted meanwhile: there is nothing to send.
                if (Repositories(here).Get(repository) is { } present && Image(present, new JsonObject { ["imageDigest"] = digest }) is { } image)
                {
                    var problem = Arrive(there, present, image, tag);
                    SetReplication(here, repository, digest, there, problem is null ? "COMPLETE" : "FAILED", problem);
                }
            });
        }
    }

    /// <summary>Writes an image into the destination's repository, which comes into being with the first; gives the failure's code, null without one.</summary>
    private string? Arrive(RequestContext there, JsonObject source, JsonObject image, string? tag)
    {
        var name = source.Required("repositoryName");
        if (!Repositories(there).Contains(name))
        {
            // With the defaults: settings of repositories are not replicated.
            CreateRepository(there, new JsonObject { ["repositoryName"] = name });
        }
        try
        {
            StoreImage(there, new JsonObject { ["repositoryName"] = name, ["imageManifest"] = image.Text("manifest"), ["imageManifestMediaType"] = image.Text("mediaType") }.With("imageTag", tag));
            return null;
        }
        catch (ServiceFault fault) when (fault.Code == "ImageAlreadyExistsException")
        {
            return null;
        }
        catch (ServiceFault fault) when (fault.Code == "ImageTagAlreadyExistsException")
        {
            return fault.Code;
        }
    }

    private void SetReplication(RequestContext here, string repository, string digest, RequestContext there, string status, string? failure) => Repositories(here).Update(repository, document =>
    {
        if (Image(document, new JsonObject { ["imageDigest"] = digest }) is not { } image)
        {
            return;
        }
        image["replication"] = image.Objects("replication").Where(item => item.Text("region") != there.Region || item.Text("registryId") != there.AccountId).Select(static item => item.Copy())
            .Append(new JsonObject { ["region"] = there.Region, ["registryId"] = there.AccountId, ["status"] = status }.With("failureCode", failure)).ToJsonList();
    });
}
