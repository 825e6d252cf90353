using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Sandbox.Services.SecretsManager;

/// <summary>
/// Rotation. A secret that RDS manages gets a new password by the four steps, and the instance with it. A function of the user's cannot run
/// here: its rotation moves nothing and is tried again at the next date, as with a function that fails, unless the secret's tag
/// <c>inferloop:sandbox-rotation</c> with the value <c>generate</c> declares that the function would set a new random password.
/// </summary>
internal sealed partial class SecretsManagerService
{
    public const string DeclaredRotation = "inferloop:sandbox-rotation";

    private static void RequireUnmanaged(JsonObject secret)
    {
        if (secret.Text("OwningService") is { } owner)
        {
            throw new ServiceFault("InvalidRequestException", $"You can't perform this operation on the secret because it is managed by {owner}. Use that service to change or delete it.");
        }
    }

    /// <summary>A secret that another service makes, owns and rotates.</summary>
    public string CreateManaged(RequestContext context, string name, string owner, string value, string? key, string description, (string Key, string Value) tag, TimeSpan period)
    {
        if (key is not null)
        {
            RequireKey(context, key);
        }
        var secret = new JsonObject
        {
            ["ARN"] = context.Arn("secretsmanager", $"secret:{name}-{Runtime.Ids.Lower(6)}"),
            ["Name"] = name,
            ["Description"] = description,
            ["OwningService"] = owner,
            ["CreatedDate"] = Documents.Time(context.Now),
            ["LastChangedDate"] = Documents.Time(context.Now),
            ["RotationEnabled"] = true,
            ["RotationRules"] = new JsonObject { ["AutomaticallyAfterDays"] = (int)period.TotalDays },
            ["Tags"] = new JsonArray(new JsonObject { ["Key"] = "aws:secretsmanager:owningService", ["Value"] = owner }, new JsonObject { ["Key"] = tag.Key, ["Value"] = tag.Value }),
            ["_Versions"] = new JsonObject(),
        }.With("KmsKeyId", key);
        AddVersion(context, secret, new JsonObject { ["SecretString"] = value }, ["AWSCURRENT"]);
        Secrets(context).Put(name, secret);
        ScheduleRotation(context.Detached(), name);
        return secret.Required("ARN");
    }

    public void DeleteManaged(RequestContext context, string arn)
    {
        if (FindSecret(context, arn) is { } secret)
        {
            Secrets(context).Remove(secret.Required("Name"));
        }
    }

    /// <summary>Rotates at once, for the service that owns the secret.</summary>
    public void RotateNow(RequestContext context, string arn)
    {
        if (FindSecret(context, arn) is { } secret)
        {
            Rotate(context.Detached(), secret.Required("Name"), Runtime.Ids.Uuid());
        }
    }

    private JsonObject RotateSecret(RequestContext context, JsonObject input)
    {
        var secret = Secret(context, input);
        var name = secret.Required("Name");
        var isManaged = secret.Has("OwningService");
        if (isManaged && input.Has("RotationLambdaARN"))
        {
            throw new ServiceFault("InvalidRequestException", "You can't specify a rotation function for a secret that another service manages.");
        }
        var lambda = isManaged ? null : input.Text("RotationLambdaARN") ?? secret.Text("RotationLambdaARN")
            ?? throw new ServiceFault("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.");
        CheckRules(context, input.Child("RotationRules"));
        Secrets(context).Update(name, document =>
        {
            document.With("RotationLambdaARN", lambda);
            document["RotationEnabled"] = true;
            document.Take(input, "RotationRules");
        });
        ScheduleRotation(context.Detached(), name);
        var answer = secret.Pick("ARN", "Name");
        if (input.Flag("RotateImmediately") == false)
        {
            return answer;
        }
        var version = input.Text("ClientRequestToken") ?? Runtime.Ids.Uuid();
        Rotate(context.Detached(), name, version);
        return answer.With("VersionId", version);
    }

    private static void CheckRules(RequestContext context, JsonObject? rules)
    {
        if (rules is null)
        {
            return;
        }
        if (rules.Has("AutomaticallyAfterDays") && rules.Has("ScheduleExpression"))
        {
            throw Invalid("You can't specify both AutomaticallyAfterDays and ScheduleExpression.");
        }
        if (rules.Int("AutomaticallyAfterDays") is < 1 or > 1000)
        {
            throw Invalid("AutomaticallyAfterDays must be between 1 and 1000.");
        }
        if (rules.Text("ScheduleExpression") is { } text && ScheduleExpression.Parse(text)?.Next(context.Now, context.Now) is null)
        {
            throw Invalid($"The ScheduleExpression {text} is not valid.");
        }
    }

    /// <summary>Sets the date of the next rotation, and rotates then.</summary>
    private void ScheduleRotation(RequestContext context, string name)
    {
        var round = Runtime.Ids.Hex(8);
        DateTimeOffset? next = null;
        Secrets(context).Update(name, document =>
        {
            var rules = document.Child("RotationRules");
            next = rules?.Int("AutomaticallyAfterDays") is { } days ? context.Now.AddDays(days)
                : rules?.Text("ScheduleExpression") is { } text ? ScheduleExpression.Parse(text)?.Next(context.Now, context.Now) : null;
            document["_RotationRound"] = round;
            document.Remove("NextRotationDate");
            document.With("NextRotationDate", next is { } at ? Documents.Time(at) : null);
        });
        if (next is not { } moment)
        {
            return;
        }
        Runtime.Clock.Schedule(moment, () =>
        {
            if (Secrets(context).Get(name) is { } due && due.Text("_RotationRound") == round && due.Is("RotationEnabled") && !IsReplica(due, context.Region))
            {
                if (!due.Has("DeletedDate"))
                {
                    Rotate(context, name, Runtime.Ids.Uuid());
                }
                ScheduleRotation(context, name);
            }
        });
    }

    /// <summary>createSecret, setSecret, testSecret, finishSecret: a pending version that becomes the current one.</summary>
    private void Rotate(RequestContext context, string name, string version)
    {
        if (Secrets(context).Get(name) is not { } secret)
        {
            return;
        }
        var isDeclared = secret.Objects("Tags").Any(tag => tag.Text("Key") == DeclaredRotation && tag.Text("Value") == "generate");
        if (!secret.Has("OwningService") && !isDeclared)
        {
            Secrets(context).Update(name, document => document["_RotationFailure"] = "The sandbox runs no code: the rotation function could not be invoked.");
            return;
        }
        var arn = secret.Required("ARN");
        var rds = secret.Text("OwningService") == "rds" ? Runtime.Service<Rds.RdsService>() : null;
        Secrets(context).Update(name, document => AddVersion(context, document, new JsonObject { ["ClientRequestToken"] = version, ["SecretString"] = Renewed(Version(document, null, null)?.Text("SecretString")) }, ["AWSPENDING"]));
        Propagate(context, name);
        rds?.MasterSecretRotates(context, arn, isDone: false);
        Runtime.After(Durations.SecretRotation, () =>
        {
            Secrets(context).Update(name, document =>
            {
                MoveStage(document, "AWSCURRENT", version);
                MoveStage(document, "AWSPENDING", null);
                document["LastRotatedDate"] = Documents.Time(context.Now);
                document["LastChangedDate"] = Documents.Time(context.Now);
            });
            Propagate(context, name);
            rds?.MasterSecretRotates(context, arn, isDone: true);
        });
    }

    private static string Renewed(string? value)
    {
        var password = RandomPassword(new JsonObject { ["PasswordLength"] = 32, ["ExcludeCharacters"] = "/@\"'\\ " });
        if (value is null || PolicyDocument.AsObject(value) is not JsonObject fields)
        {
            return password;
        }
        fields["password"] = password;
        return fields.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
