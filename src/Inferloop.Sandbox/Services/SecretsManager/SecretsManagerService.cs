using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.SecretsManager;

/// <summary>Secrets Manager: secrets with versions and stages, passwords, policies, deletion with a recovery window.</summary>
internal sealed partial class SecretsManagerService : SandboxService
{
    public SecretsManagerService(SandboxRuntime runtime)
        : base(runtime, "secretsmanager")
    {
        On("CreateSecret", CreateSecret);
        On("DescribeSecret", (context, input) => Described(Secret(context, input, allowDeleted: true)));
        On("ListSecrets", ListSecrets);
        On("GetSecretValue", GetSecretValue);
        On("BatchGetSecretValue", BatchGetSecretValue);
        Changing("PutSecretValue", PutSecretValue);
        Changing("UpdateSecret", UpdateSecret);
        Changing("UpdateSecretVersionStage", UpdateSecretVersionStage);
        On("ListSecretVersionIds", ListSecretVersionIds);
        Changing("DeleteSecret", DeleteSecret);
        Changing("RestoreSecret", (context, input) =>
        {
            var secret = Secret(context, input, allowDeleted: true);
            Secrets(context).Update(secret.Required("Name"), document => document.Remove("DeletedDate"));
            return secret.Pick("ARN", "Name");
        });
        On("GetRandomPassword", (_, input) => new JsonObject { ["RandomPassword"] = RandomPassword(input) });
        Changing("PutResourcePolicy", (context, input) =>
        {
            var secret = Secret(context, input);
            if (PolicyDocument.Problem(input.Required("ResourcePolicy"), isResourcePolicy: true, needsResource: true) is { } problem)
            {
                throw new ServiceFault("MalformedPolicyDocumentException", problem);
            }
            Secrets(context).Update(secret.Required("Name"), document => document["_Policy"] = input.Text("ResourcePolicy"));
            return secret.Pick("ARN", "Name");
        });
        On("GetResourcePolicy", (context, input) =>
        {
            var secret = Secret(context, input);
            return secret.Pick("ARN", "Name").With("ResourcePolicy", secret.Text("_Policy"));
        });
        Changing("DeleteResourcePolicy", (context, input) =>
        {
            var secret = Secret(context, input);
            Secrets(context).Update(secret.Required("Name"), document => document.Remove("_Policy"));
            return secret.Pick("ARN", "Name");
        });
        On("ValidateResourcePolicy", (_, input) =>
        {
            var problem = PolicyDocument.Problem(input.Required("ResourcePolicy"), isResourcePolicy: true, needsResource: true);
            return new JsonObject
            {
                ["PolicyValidationPassed"] = problem is null,
                ["ValidationErrors"] = problem is null ? new JsonArray() : new JsonArray(new JsonObject { ["CheckName"] = "SYNTAX", ["ErrorMessage"] = problem }),
            };
        });
        Changing("TagResource", (context, input) =>
        {
            Tags.Check(input.Objects("Tags"), "InvalidParameterException");
            Secrets(context).Update(Secret(context, input).Required("Name"), document => Tags.Put(document, "Tags", input.Objects("Tags")));
            return [];
        });
        Changing("UntagResource", (context, input) =>
        {
            Secrets(context).Update(Secret(context, input).Required("Name"), document => Tags.Remove(document, "Tags", input.Texts("TagKeys")));
            return [];
        });
        Changing("RotateSecret", RotateSecret);
        Changing("CancelRotateSecret", (context, input) =>
        {
            var secret = Secret(context, input);
            RequireUnmanaged(secret);
            Secrets(context).Update(secret.Required("Name"), document =>
            {
                document["RotationEnabled"] = false;
                document.Remove("NextRotationDate");
                document.Remove("_RotationRound");
            });
            return secret.Pick("ARN", "Name");
        });
        AddReplicas();
    }

    [GeneratedRegex(@"^[A-Za-z0-9/_+=.@-]{1,512}\z")]
    private static partial Regex NamePattern();

    private Collection Secrets(RequestContext context) => Collection(context, "secrets");

    private static ServiceFault NotFound() => new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");

    private static ServiceFault Invalid(string message) => new("InvalidParameterException", message);

    /// <summary>Whether a secret exists that can be read, for others that refer to it.</summary>
    public bool Exists(RequestContext context, string id) => FindSecret(context, id) is { } secret && !secret.Has("DeletedDate");

    /// <summary>A secret's value by reference, for <c>{{resolve:secretsmanager:…}}</c>; null when there is none.</summary>
    public string? Value(RequestContext context, string id, string? jsonKey = null, string? stage = null, string? version = null)
    {
        if (FindSecret(context, id) is not { } secret || secret.Has("DeletedDate") || Version(secret, version, stage) is not { } found || found.Text("SecretString") is not { } text)
        {
            return null;
        }
        return string.IsNullOrEmpty(jsonKey) ? text : (PolicyDocument.AsObject(text) as JsonObject)?.Text(jsonKey);
    }

    /// <summary>By name, by ARN, or by an ARN without its last six characters.</summary>
    private JsonObject? FindSecret(RequestContext context, string id)
    {
        if (!id.StartsWith("arn:", StringComparison.Ordinal))
        {
            return Secrets(context).Get(id);
        }
        var parts = id.Split(':');
        if (parts.Length < 7)
        {
            return null;
        }
        return Runtime.Collection(ModelName, "secrets", parts[4], parts[3])
            .Find(secret => secret.Text("ARN") == id || secret.Text("ARN")![..^7] == id);
    }

    private JsonObject Secret(RequestContext context, JsonObject input, bool allowDeleted = false)
    {
        var secret = FindSecret(context, input.Required("SecretId")) ?? throw NotFound();
        if (secret.Has("DeletedDate") && !allowDeleted)
        {
            throw new ServiceFault("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.");
        }
        return secret;
    }

    private JsonObject CreateSecret(RequestContext context, JsonObject input)
    {
        var name = input.Required("Name");
        if (!NamePattern().IsMatch(name))
        {
            throw new ServiceFault("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!");
        }
        if (input.Has("SecretString") && input.Has("SecretBinary"))
        {
            throw Invalid("You can't specify both a binary secret value and a string secret value in the same secret.");
        }
        Tags.Check(input.Objects("Tags"), "InvalidParameterException");
        CheckRegions(context, null, input);
        if (input.Text("KmsKeyId") is { } key)
        {
            RequireKey(context, key);
        }
        var secret = new JsonObject
        {
            ["ARN"] = context.Arn("secretsmanager", $"secret:{name}-{Runtime.Ids.UrlSafe(12).Replace("-", "x", StringComparison.Ordinal).Replace("_", "y", StringComparison.Ordinal)[..6]}"),
            ["Name"] = name,
            ["CreatedDate"] = Documents.Time(context.Now),
            ["LastChangedDate"] = Documents.Time(context.Now),
            ["Tags"] = input["Tags"].Copy() ?? new JsonArray(),
            ["_Versions"] = new JsonObject(),
        }.Take(input, "Description", "KmsKeyId");
        var answer = secret.Pick("ARN", "Name");
        if (input.Has("SecretString") || input.Has("SecretBinary"))
        {
            answer["VersionId"] = AddVersion(context, secret, input, ["AWSCURRENT"]);
        }
        return Secrets(context).Lock(() =>
        {
            if (Secrets(context).Get(name) is { } present)
            {
                throw present.Has("DeletedDate")
                    ? new ServiceFault("InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
                    : new ServiceFault("ResourceExistsException", $"The operation failed because the secret {name} already exists.");
            }
            Secrets(context).Put(name, secret);
            return input.Has("AddReplicaRegions") ? answer.With("ReplicationStatus", Replicate(context, secret, input)["ReplicationStatus"].Copy()) : answer;
        });
    }

    private void RequireKey(RequestContext context, string key)
    {
        try
        {
            Runtime.Service<Kms.KmsService>().RequireEnabledKey(context, key, "secretsmanager");
        }
        catch (ServiceFault fault)
        {
            throw new ServiceFault("EncryptionFailure", $"Secrets Manager can't encrypt the protected secret text using the specified KMS key: {fault.Message}");
        }
    }

    /// <summary>Adds a version and moves stages to it; the version that was current becomes the previous one.</summary>
    private string AddVersion(RequestContext context, JsonObject secret, JsonObject input, IReadOnlyList<string> stages)
    {
        var id = input.Text("ClientRequestToken") ?? Runtime.Ids.Uuid();
        var versions = secret.ChildOrNew("_Versions");
        if (versions.Child(id) is { } present)
        {
            return present.Text("SecretString") == input.Text("SecretString") && present.Text("SecretBinary") == input.Text("SecretBinary")
                ? id
                : throw new ServiceFault("ResourceExistsException", "You can't use ClientRequestToken " + id + " because that value is already in use for a version of secret " + secret.Text("ARN") + ".");
        }
        if ((input.Text("SecretString") ?? "").Length > 65_536)
        {
            throw Invalid("The secret value is longer than 65536 bytes.");
        }
        versions[id] = new JsonObject { ["VersionId"] = id, ["CreatedDate"] = Documents.Time(context.Now), ["Stages"] = new JsonArray() }.Take(input, "SecretString", "SecretBinary");
        foreach (var stage in stages)
        {
            MoveStage(secret, stage, id);
        }
        secret["LastChangedDate"] = Documents.Time(context.Now);
        return id;
    }

    private static void MoveStage(JsonObject secret, string stage, string? to)
    {
        string? from = null;
        foreach (var (id, version) in secret.ChildOrNew("_Versions"))
        {
            var stages = ((JsonObject)version!).Texts("Stages");
            if (stages.Contains(stage) && id != to)
            {
                from = id;
                ((JsonObject)version!)["Stages"] = stages.Where(item => item != stage).ToTextList();
            }
        }
        if (to is not null && secret.ChildOrNew("_Versions").Child(to) is { } target && !target.Texts("Stages").Contains(stage))
        {
            target.ListOrNew("Stages").Add(stage);
        }
        if (stage == "AWSCURRENT" && from is not null)
        {
            MoveStage(secret, "AWSPREVIOUS", from);
        }
    }

    private static JsonObject? Version(JsonObject secret, string? id, string? stage)
    {
        var versions = secret.Child("_Versions") ?? [];
        if (!string.IsNullOrEmpty(id))
        {
            return versions.Child(id) is { } named && (string.IsNullOrEmpty(stage) || named.Texts("Stages").Contains(stage)) ? named : null;
        }
        var wanted = string.IsNullOrEmpty(stage) ? "AWSCURRENT" : stage;
        return versions.Select(pair => pair.Value).OfType<JsonObject>().FirstOrDefault(version => version.Texts("Stages").Contains(wanted));
    }

    private JsonObject GetSecretValue(RequestContext context, JsonObject input)
    {
        var secret = Secret(context, input);
        var version = Version(secret, input.Text("VersionId"), input.Text("VersionStage"))
            ?? throw new ServiceFault("ResourceNotFoundException", $"Secrets Manager can't find the specified secret value for {(input.Has("VersionId") ? $"VersionId: {input.Text("VersionId")}" : $"staging label: {input.Text("VersionStage") ?? "AWSCURRENT"}")}");
        if (secret.Text("KmsKeyId") is { } key)
        {
            RequireKey(context, key);
        }
        Runtime.Collection(ModelName, "secrets", context).Update(secret.Required("Name"), document => document["LastAccessedDate"] = Documents.Time(context.Now.Date));
        return secret.Pick("ARN", "Name").Take(version, "VersionId", "SecretString", "SecretBinary", "CreatedDate").With("VersionStages", version["Stages"].Copy());
    }

    private JsonObject BatchGetSecretValue(RequestContext context, JsonObject input)
    {
        var ids = input.Texts("SecretIdList");
        var names = ids.Count > 0 ? ids : ListSecrets(context, input.Pick("Filters", "MaxResults")).Objects("SecretList").Select(secret => secret.Required("Name")).ToList();
        var values = new List<JsonObject>();
        var errors = new List<JsonObject>();
        foreach (var id in names)
        {
            try
            {
                values.Add(GetSecretValue(context, new JsonObject { ["SecretId"] = id }));
            }
            catch (ServiceFault fault)
            {
                errors.Add(new JsonObject { ["SecretId"] = id, ["ErrorCode"] = fault.Code, ["Message"] = fault.Message });
            }
        }
        return new JsonObject { ["SecretValues"] = values.ToJsonList(), ["Errors"] = errors.ToJsonList() };
    }

    private JsonObject PutSecretValue(RequestContext context, JsonObject input)
    {
        var secret = Secret(context, input);
        RequireUnmanaged(secret);
        if (!input.Has("SecretString") && !input.Has("SecretBinary"))
        {
            throw Invalid("You must provide either SecretString or SecretBinary.");
        }
        var stages = input.Texts("VersionStages") is { Count: > 0 } given ? given : ["AWSCURRENT"];
        var id = "";
        Secrets(context).Update(secret.Required("Name"), document => id = AddVersion(context, document, input, stages));
        return secret.Pick("ARN", "Name").With("VersionId", id).With("VersionStages", stages.ToTextList());
    }

    private JsonObject UpdateSecret(RequestContext context, JsonObject input)
    {
        var secret = Secret(context, input);
        if (input.Has("SecretString") || input.Has("SecretBinary"))
        {
            RequireUnmanaged(secret);
        }
        if (input.Text("KmsKeyId") is { } key)
        {
            RequireKey(context, key);
        }
        var answer = secret.Pick("ARN", "Name");
        Secrets(context).Update(secret.Required("Name"), document =>
        {
            document.Take(input, "Description", "KmsKeyId");
            document["LastChangedDate"] = Documents.Time(context.Now);
            if (input.Has("SecretString") || input.Has("SecretBinary"))
            {
                answer["VersionId"] = AddVersion(context, document, input, ["AWSCURRENT"]);
            }
        });
        return answer;
    }

    private JsonObject UpdateSecretVersionStage(RequestContext context, JsonObject input)
    {
        var secret = Secret(context, input);
        var stage = input.Required("VersionStage");
        var holder = Version(secret, null, stage)?.Text("VersionId");
        if (input.Text("MoveToVersionId") is { } to)
        {
            if (secret.Child("_Versions")?.Child(to) is null)
            {
                throw new ServiceFault("ResourceNotFoundException", $"Secrets Manager can't find the specified secret version: {to}");
            }
            if (holder is not null && holder != to && input.Text("RemoveFromVersionId") != holder)
            {
                throw Invalid($"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version {holder}, so you must explicitly reference that version in RemoveFromVersionId.");
            }
        }
        else if (stage == "AWSCURRENT")
        {
            throw Invalid("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.");
        }
        Secrets(context).Update(secret.Required("Name"), document => MoveStage(document, stage, input.Text("MoveToVersionId")));
        return secret.Pick("ARN", "Name");
    }

    private JsonObject ListSecretVersionIds(RequestContext context, JsonObject input)
    {
        var secret = Secret(context, input);
        var versions = (secret.Child("_Versions") ?? []).Select(pair => (JsonObject)pair.Value!)
            .Where(version => input.Is("IncludeDeprecated") || version.Texts("Stages").Count > 0)
            .Select(version => version.Pick("VersionId", "CreatedDate").With("VersionStages", version["Stages"].Copy())).ToList();
        return Pages.Answer(input, versions, "Versions", tokenErrorCode: "InvalidNextTokenException").Take(secret, "ARN", "Name");
    }

    private static JsonObject Described(JsonObject secret)
    {
        var described = secret.Copy();
        var stages = new JsonObject();
        foreach (var (id, version) in secret.Child("_Versions") ?? [])
        {
            if (((JsonObject)version!).Texts("Stages") is { Count: > 0 } labels)
            {
                stages[id] = labels.ToTextList();
            }
        }
        described["VersionIdsToStages"] = stages;
        return described;
    }

    private JsonObject ListSecrets(RequestContext context, JsonObject input)
    {
        var all = Secrets(context).Where(secret => input.Is("IncludePlannedDeletion") || !secret.Has("DeletedDate"));
        foreach (var filter in input.Objects("Filters"))
        {
            var values = filter.Texts("Values");
            bool Starts(string? text) => text is not null && values.Any(value => value.StartsWith('!') ? !text.StartsWith(value[1..], StringComparison.Ordinal) : text.StartsWith(value, StringComparison.Ordinal));
            all = all.Where(secret => filter.Text("Key") switch
            {
                "name" => Starts(secret.Text("Name")),
                "description" => Starts(secret.Text("Description")),
                "tag-key" => secret.Objects("Tags").Any(tag => Starts(tag.Text("Key"))),
                "tag-value" => secret.Objects("Tags").Any(tag => Starts(tag.Text("Value"))),
                "all" => Starts(secret.Text("Name")) || Starts(secret.Text("Description")) || secret.Objects("Tags").Any(tag => Starts(tag.Text("Key")) || Starts(tag.Text("Value"))),
                _ => true,
            }).ToList();
        }
        var listed = all.Select(secret =>
        {
            var item = Described(secret);
            item["SecretVersionsToStages"] = item["VersionIdsToStages"].Copy();
            item.Remove("VersionIdsToStages");
            return item;
        }).ToList();
        if (input.Text("SortOrder") == "desc")
        {
            listed.Reverse();
        }
        return Pages.Answer(input, listed, "SecretList", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException");
    }

    private JsonObject DeleteSecret(RequestContext context, JsonObject input)
    {
        var force = input.Is("ForceDeleteWithoutRecovery");
        if (force && input.Has("RecoveryWindowInDays"))
        {
            throw Invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
        }
        var days = input.Int("RecoveryWindowInDays") ?? 30;
        if (days is < 7 or > 30)
        {
            throw Invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).");
        }
        var secret = Secret(context, input, allowDeleted: force);
        RequireUnmanaged(secret);
        RequireAlone(secret);
        var at = force ? context.Now : context.Now.AddDays(days);
        var answer = secret.Pick("ARN", "Name").With("DeletionDate", Documents.Time(at));
        if (force)
        {
            Secrets(context).Remove(secret.Required("Name"));
            return answer;
        }
        Secrets(context).Update(secret.Required("Name"), document => document["DeletedDate"] = Documents.Time(at));
        Runtime.Clock.Schedule(at, () =>
        {
            if (Secrets(context).Get(secret.Required("Name")) is { } due && due.Has("DeletedDate") && due.Text("ARN") == secret.Text("ARN"))
            {
                Secrets(context).Remove(secret.Required("Name"));
            }
        });
        return answer;
    }

    /// <summary>A password from the operating system's random numbers, as GetRandomPassword and GenerateSecretString ask for it.</summary>
    public static string RandomPassword(JsonObject input)
    {
        const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
        var excluded = input.Text("ExcludeCharacters") ?? "";
        var groups = new List<string>();
        void Add(string exclude, string characters)
        {
            if (!input.Is(exclude))
            {
                groups.Add(new string(characters.Where(c => !excluded.Contains(c, StringComparison.Ordinal)).ToArray()));
            }
        }
        Add("ExcludeLowercase", "abcdefghijklmnopqrstuvwxyz");
        Add("ExcludeUppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        Add("ExcludeNumbers", "0123456789");
        Add("ExcludePunctuation", Punctuation);
        if (input.Is("IncludeSpace"))
        {
            groups.Add(" ");
        }
        groups.RemoveAll(group => group.Length == 0);
        var length = (int)(input.Long("PasswordLength") ?? 32);
        if (groups.Count == 0)
        {
            throw Invalid("The password cannot be generated because all characters are excluded.");
        }
        var each = input.Flag("RequireEachIncludedType") ?? true;
        if (each && length < groups.Count)
        {
            throw Invalid($"Password length {length.ToString(CultureInfo.InvariantCulture)} is too short based on the required types.");
        }
        var all = string.Concat(groups);
        var password = new char[length];
        for (var i = 0; i < length; i++)
        {
            var from = each && i < groups.Count ? groups[i] : all;
            password[i] = from[SecureRandom.GetInt32(from.Length)];
        }
        SecureRandom.Shuffle(password.AsSpan());
        return new string(password);
    }

    /// <summary>The secret string a template's GenerateSecretString describes.</summary>
    public static string Generated(JsonObject specification)
    {
        var password = RandomPassword(specification);
        if (specification.Text("SecretStringTemplate") is not { } template)
        {
            return password;
        }
        var key = specification.Text("GenerateStringKey") ?? throw Invalid("GenerateStringKey must be given together with SecretStringTemplate.");
        try
        {
            var secret = JsonNode.Parse(template) as JsonObject ?? throw Invalid("SecretStringTemplate must be a JSON object.");
            secret[key] = password;
            return secret.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        }
        catch (JsonException)
        {
            throw Invalid("Could not parse SecretStringTemplate JSON.");
        }
    }
}
