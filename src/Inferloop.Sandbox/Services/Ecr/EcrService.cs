using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecr;

/// <summary>ECR: repositories, images as manifests with tags, lifecycle and repository policies. Layers are not stored.</summary>
internal sealed partial class EcrService : SandboxService
{
    public EcrService(SandboxRuntime runtime)
        : base(runtime, "ecr")
    {
        On("CreateRepository", CreateRepository);
        On("DescribeRepositories", (context, input) =>
        {
            var names = input.Texts("repositoryNames");
            var found = names.Count > 0 ? names.Select(name => Repository(context, name)).ToList() : Repositories(context).All();
            return Pages.Answer(input, found, "repositories", "maxResults", "nextToken", 100, "InvalidParameterException");
        });
        On("DeleteRepository", (context, input) =>
        {
            var repository = Repository(context, input);
            if (repository.Objects("_Images").Any() && !input.Is("force"))
            {
                throw new ServiceFault("RepositoryNotEmptyException", $"The repository with name '{repository.Text("repositoryName")}' in registry with id '{context.AccountId}' cannot be deleted because it still contains images");
            }
            Repositories(context).Remove(repository.Required("repositoryName"));
            return new JsonObject { ["repository"] = repository };
        });
        On("PutImage", PutImage);
        AddScans();
        AddReplication();
        On("DescribeImages", (context, input) =>
        {
            var repository = Repository(context, input);
            var ids = input.Objects("imageIds").ToList();
            var images = ids.Count > 0 ? ids.ConvertAll(id => Image(repository, id) ?? throw NoImage(repository, id)) : repository.Objects("_Images").ToList();
            return Pages.Answer(input, images.Select(image => Scanned(Detail(repository, image), image)).ToList(), "imageDetails", "maxResults", "nextToken", 100, "InvalidParameterException");
        });
        On("ListImages", (context, input) =>
        {
            var ids = Repository(context, input).Objects("_Images").SelectMany(image => image.Texts("tags") is { Count: > 0 } tags
                ? tags.Select(tag => new JsonObject { ["imageDigest"] = image.Text("digest"), ["imageTag"] = tag })
                : [new JsonObject { ["imageDigest"] = image.Text("digest") }]).ToList();
            return Pages.Answer(input, ids, "imageIds", "maxResults", "nextToken", 100, "InvalidParameterException");
        });
        On("BatchGetImage", (context, input) => Batch(context, input, "images", (repository, image, id) => new JsonObject
        {
            ["registryId"] = context.AccountId,
            ["repositoryName"] = repository.Text("repositoryName"),
            ["imageId"] = new JsonObject { ["imageDigest"] = image.Text("digest") }.With("imageTag", id.Text("imageTag")),
            ["imageManifest"] = image.Text("manifest"),
            ["imageManifestMediaType"] = image.Text("mediaType"),
        }));
        On("BatchDeleteImage", (context, input) => Batch(context, input, "imageIds", (repository, image, id) =>
        {
            Repositories(context).Update(repository.Required("repositoryName"), document =>
            {
                var stored = document.Objects("_Images").First(item => item.Text("digest") == image.Text("digest"));
                var tags = stored.Texts("tags").Where(tag => tag != id.Text("imageTag")).ToList();
                if (id.Has("imageTag") && !id.Has("imageDigest") && tags.Count > 0)
                {
                    stored["tags"] = tags.ToTextList();
                }
                else
                {
                    document.ListOrNew("_Images").Remove(stored);
                }
            });
            return new JsonObject { ["imageDigest"] = image.Text("digest") }.With("imageTag", id.Text("imageTag"));
        }));
        On("PutLifecyclePolicy", (context, input) =>
        {
            if (PolicyDocument.AsObject(input.Text("lifecyclePolicyText")) is not JsonObject policy || policy["rules"] is not JsonArray { Count: > 0 })
            {
                throw new ServiceFault("InvalidParameterException", "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: policy must have rules'");
            }
            return Text(context, input, "_Lifecycle", "lifecyclePolicyText");
        });
        On("GetLifecyclePolicy", (context, input) => TextOf(context, input, "_Lifecycle", "lifecyclePolicyText", "LifecyclePolicyNotFoundException", "Lifecycle policy"));
        On("DeleteLifecyclePolicy", (context, input) => RemoveText(context, input, "_Lifecycle", "lifecyclePolicyText", "LifecyclePolicyNotFoundException", "Lifecycle policy"));
        On("SetRepositoryPolicy", (context, input) => Text(context, input, "_Policy", "policyText"));
        On("GetRepositoryPolicy", (context, input) => TextOf(context, input, "_Policy", "policyText", "RepositoryPolicyNotFoundException", "Repository policy"));
        On("DeleteRepositoryPolicy", (context, input) => RemoveText(context, input, "_Policy", "policyText", "RepositoryPolicyNotFoundException", "Repository policy"));
        On("PutImageScanningConfiguration", (context, input) => Setting(context, input, "imageScanningConfiguration"));
        On("PutImageTagMutability", (context, input) => Setting(context, input, "imageTagMutability"));
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("tags"))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("tagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["tags"] = Repository(context, input.Required("resourceArn").Split(":repository/")[^1])["_Tags"].Copy() });
        On("GetAuthorizationToken", (context, _) => new JsonObject
        {
            ["authorizationData"] = new JsonArray(new JsonObject
            {
                ["authorizationToken"] = Convert.ToBase64String(Encoding.UTF8.GetBytes("AWS:" + Runtime.Ids.UrlSafe(64))),
                ["expiresAt"] = Documents.Time(context.Now.AddHours(12)),
                ["proxyEndpoint"] = $"https://{context.AccountId}.dkr.ecr.{context.Region}.{context.DnsSuffix}",
            }),
        });
    }

    /// <summary>An operation on the registry that the request names: the caller's own, or another account's as the repository's policy lets it.</summary>
    private new void On(string operation, Func<RequestContext, JsonObject, JsonObject> handler) => base.On(operation, (context, input) => handler(Registry(context, input, operation), input));

    private RequestContext Registry(RequestContext context, JsonObject input, string operation)
    {
        if (input.Text("registryId") is not { } registry || registry == context.AccountId)
        {
            return context;
        }
        var there = context.With(registry, context.Region);
        var name = input.Text("repositoryName") ?? (input.Texts("repositoryNames") is [var first, ..] ? first : "*");
        var arn = there.Arn("ecr", "repository/" + name);
        return CrossAccount.Allows(context, registry, Repositories(there).Get(name)?.Text("_Policy"), "ecr:" + operation, arn)
            ? there : throw new ServiceFault("AccessDeniedException", CrossAccount.Refusal(context, "ecr:" + operation, arn));
    }

    private Collection Repositories(RequestContext context) => Collection(context, "repositories");

    /// <summary>An image by its tag or digest, for what runs it; null when it is not there.</summary>
    public JsonObject? Find(RequestContext context, string repository, string tagOrDigest) => Repositories(context).Get(repository) is { } found
        ? Image(found, tagOrDigest.StartsWith("sha256:", StringComparison.Ordinal) ? new JsonObject { ["imageDigest"] = tagOrDigest } : new JsonObject { ["imageTag"] = tagOrDigest }) : null;

    /// <summary>Puts an image of no particular content under a tag; gives it by its digest.</summary>
    public string Push(RequestContext context, string repository, string tag)
    {
        if (!Repositories(context).Contains(repository))
        {
            CreateRepository(context, new JsonObject { ["repositoryName"] = repository, ["imageScanningConfiguration"] = new JsonObject { ["scanOnPush"] = true } });
        }
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json",
            ["layers"] = new JsonArray(new JsonObject { ["size"] = 180_000_000, ["digest"] = "sha256:" + Runtime.Ids.Hex(64) }),
        };
        var pushed = PutImage(context, new JsonObject { ["repositoryName"] = repository, ["imageTag"] = tag, ["imageManifest"] = manifest.ToJsonString() });
        return $"{context.AccountId}.dkr.ecr.{context.Region}.{context.DnsSuffix}/{repository}@{pushed.Child("image")!.Child("imageId")!.Required("imageDigest")}";
    }

    private JsonObject PutImage(RequestContext context, JsonObject input)
    {
        var answer = StoreImage(context, input);
        var image = answer.Child("image")!;
        Replicate(context, image.Required("repositoryName"), image.Child("imageId")!.Required("imageDigest"), input.Text("imageTag"));
        return answer;
    }

    private JsonObject Repository(RequestContext context, JsonObject input) => Repository(context, input.Required("repositoryName"));

    private JsonObject Repository(RequestContext context, string name) => Repositories(context).Get(name)
        ?? throw new ServiceFault("RepositoryNotFoundException", $"The repository with name '{name}' does not exist in the registry with id '{context.AccountId}'");

    private static JsonObject? Image(JsonObject repository, JsonObject id) => repository.Objects("_Images").FirstOrDefault(image =>
        (!id.Has("imageDigest") || image.Text("digest") == id.Text("imageDigest")) && (!id.Has("imageTag") || image.Texts("tags").Contains(id.Text("imageTag")!)));

    private static ServiceFault NoImage(JsonObject repository, JsonObject id) => new("ImageNotFoundException",
        $"The image with imageId {{imageDigest:'{id.Text("imageDigest") ?? "null"}', imageTag:'{id.Text("imageTag") ?? "null"}'}} does not exist within the repository with name '{repository.Text("repositoryName")}' in the registry with id '{repository.Text("registryId")}'");

    private static JsonObject Detail(JsonObject repository, JsonObject image) => new()
    {
        ["registryId"] = repository.Text("registryId"),
        ["repositoryName"] = repository.Text("repositoryName"),
        ["imageDigest"] = image.Text("digest"),
        ["imageTags"] = image["tags"].Copy(),
        ["imageSizeInBytes"] = image["size"].Copy(),
        ["imagePushedAt"] = image["pushedAt"].Copy(),
        ["imageManifestMediaType"] = image.Text("mediaType"),
    };

    private JsonObject CreateRepository(RequestContext context, JsonObject input)
    {
        var name = input.Required("repositoryName");
        var repository = new JsonObject
        {
            ["repositoryArn"] = context.Arn("ecr", "repository/" + name),
            ["registryId"] = context.AccountId,
            ["repositoryName"] = name,
            ["repositoryUri"] = $"{context.AccountId}.dkr.ecr.{context.Region}.{context.DnsSuffix}/{name}",
            ["createdAt"] = Documents.Time(context.Now),
            ["imageTagMutability"] = input.Text("imageTagMutability") ?? "MUTABLE",
            ["imageScanningConfiguration"] = input["imageScanningConfiguration"].Copy() ?? new JsonObject { ["scanOnPush"] = false },
            ["encryptionConfiguration"] = input["encryptionConfiguration"].Copy() ?? new JsonObject { ["encryptionType"] = "AES256" },
            ["_Tags"] = input["tags"].Copy() ?? new JsonArray(),
            ["_Images"] = new JsonArray(),
        };
        return Repositories(context).TryAdd(name, repository)
            ? new JsonObject { ["repository"] = repository.Copy() }
            : throw new ServiceFault("RepositoryAlreadyExistsException", $"The repository with name '{name}' already exists in the registry with id '{context.AccountId}'");
    }

    private JsonObject StoreImage(RequestContext context, JsonObject input)
    {
        var repository = Repository(context, input);
        var manifest = input.Required("imageManifest");
        if (PolicyDocument.AsObject(manifest) is not JsonObject parsed)
        {
            throw new ServiceFault("InvalidParameterException", "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'");
        }
        var digest = "sha256:" + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(manifest))).ToLowerInvariant();
        var tag = input.Text("imageTag");
        Repositories(context).Update(repository.Required("repositoryName"), document =>
        {
            var images = document.ListOrNew("_Images");
            var image = document.Objects("_Images").FirstOrDefault(item => item.Text("digest") == digest);
            var holder = tag is null ? null : document.Objects("_Images").FirstOrDefault(item => item.Texts("tags").Contains(tag));
            if (image is not null && (tag is null || ReferenceEquals(holder, image)))
            {
                throw new ServiceFault("ImageAlreadyExistsException", $"Image with digest '{digest}'{(tag is null ? "" : $" and tag '{tag}'")} already exists in the repository with name '{document.Text("repositoryName")}' in registry with id '{context.AccountId}'");
            }
            if (holder is not null)
            {
                if (document.Text("imageTagMutability") == "IMMUTABLE")
                {
                    throw new ServiceFault("ImageTagAlreadyExistsException", $"The image tag '{tag}' already exists in the '{document.Text("repositoryName")}' repository and cannot be overwritten because the repository is immutable.");
                }
                holder["tags"] = holder.Texts("tags").Where(item => item != tag).ToTextList();
            }
            if (image is null)
            {
                image = new JsonObject
                {
                    ["digest"] = digest,
                    ["manifest"] = manifest,
                    ["mediaType"] = input.Text("imageManifestMediaType") ?? parsed.Text("mediaType") ?? "application/vnd.docker.distribution.manifest.v2+json",
                    ["tags"] = new JsonArray(),
                    ["size"] = parsed.Objects("layers").Sum(layer => layer.Long("size") ?? 0),
                    ["pushedAt"] = Documents.Time(context.Now),
                };
                images.Add((JsonNode)image);
                if (document.Child("imageScanningConfiguration")?.Is("scanOnPush") == true)
                {
                    image["scanned"] = Documents.Time(context.Now);
                }
            }
            if (tag is not null)
            {
                image.ListOrNew("tags").Add(tag);
            }
        });
        return new JsonObject
        {
            ["image"] = new JsonObject
            {
                ["registryId"] = context.AccountId,
                ["repositoryName"] = repository.Text("repositoryName"),
                ["imageId"] = new JsonObject { ["imageDigest"] = digest }.With("imageTag", tag),
                ["imageManifest"] = manifest,
            },
        };
    }

    private JsonObject Batch(RequestContext context, JsonObject input, string member, Func<JsonObject, JsonObject, JsonObject, JsonObject> act)
    {
        var done = new List<JsonObject>();
        var failures = new List<JsonObject>();
        foreach (var id in input.Objects("imageIds"))
        {
            var repository = Repository(context, input);
            if (Image(repository, id) is { } image)
            {
                done.Add(act(repository, image, id));
            }
            else
            {
                failures.Add(new JsonObject { ["imageId"] = id.Copy(), ["failureCode"] = "ImageNotFound", ["failureReason"] = "Requested image not found" });
            }
        }
        return new JsonObject { [member] = done.ToJsonList(), ["failures"] = failures.ToJsonList() };
    }

    private JsonObject Setting(RequestContext context, JsonObject input, string member)
    {
        var name = Repository(context, input).Required("repositoryName");
        Repositories(context).Update(name, document => document.Take(input, member));
        return new JsonObject { ["registryId"] = context.AccountId, ["repositoryName"] = name, [member] = input[member].Copy() };
    }

    private JsonObject Text(RequestContext context, JsonObject input, string stored, string member)
    {
        var name = Repository(context, input).Required("repositoryName");
        Repositories(context).Update(name, document => document[stored] = input.Text(member));
        return new JsonObject { ["registryId"] = context.AccountId, ["repositoryName"] = name, [member] = input.Text(member) };
    }

    private JsonObject TextOf(RequestContext context, JsonObject input, string stored, string member, string code, string what)
    {
        var repository = Repository(context, input);
        return new JsonObject
        {
            ["registryId"] = context.AccountId,
            ["repositoryName"] = repository.Text("repositoryName"),
            [member] = repository.Text(stored) ?? throw new ServiceFault(code, $"{what} does not exist for the repository with name '{repository.Text("repositoryName")}' in the registry with id '{context.AccountId}'"),
        };
    }

    private JsonObject RemoveText(RequestContext context, JsonObject input, string stored, string member, string code, string what)
    {
        var answer = TextOf(context, input, stored, member, code, what);
        Repositories(context).Update(answer.Required("repositoryName"), document => document.Remove(stored));
        return answer;
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Repositories(context).Update(Repository(context, input.Required("resourceArn").Split(":repository/")[^1]).Required("repositoryName"), change);
        return [];
    }
}
