using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal sealed partial class Ec2Service
{
    private void AddLaunchTemplates()
    {
        On("CreateLaunchTemplate", CreateLaunchTemplate);
        On("CreateLaunchTemplateVersion", CreateLaunchTemplateVersion);
        On("ModifyLaunchTemplate", ModifyLaunchTemplate);
        On("DeleteLaunchTemplate", (context, input) =>
        {
            NeedsNoDryRun(input);
            var template = LaunchTemplate(context, input);
            Kind(context, "lt").Remove(template.Required("LaunchTemplateId"));
            return new JsonObject { ["LaunchTemplate"] = template };
        });
        On("DescribeLaunchTemplates", (context, input) =>
        {
            var names = input.Texts("LaunchTemplateNames");
            foreach (var name in names)
            {
                _ = LaunchTemplate(context, new JsonObject { ["LaunchTemplateName"] = name });
            }
            var copy = input.Copy();
            if (names.Count > 0)
            {
                copy.ListOrNew("Filters").Add((JsonNode)new JsonObject { ["Name"] = "launch-template-name", ["Values"] = names.ToTextList() });
            }
            return Describe(context, copy, "lt", "LaunchTemplateIds", "LaunchTemplates", "launch-template-name create-time");
        });
        On("DescribeLaunchTemplateVersions", DescribeLaunchTemplateVersions);
        On("DeleteLaunchTemplateVersions", DeleteLaunchTemplateVersions);
    }

    private JsonObject CreateLaunchTemplate(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var name = input.Required("LaunchTemplateName");
        CheckLaunchData(context, input.Child("LaunchTemplateData") ?? []);
        return Kind(context, "lt").Lock(() =>
        {
            if (Kind(context, "lt").Any(template => template.Text("LaunchTemplateName") == name))
            {
                throw Invalid("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.");
            }
            var id = Runtime.Ids.Resource("lt");
            var template = Add(context, "lt", id, new JsonObject
            {
                ["LaunchTemplateId"] = id,
                ["LaunchTemplateName"] = name,
                ["CreateTime"] = Documents.Time(context.Now),
                ["CreatedBy"] = context.PrincipalArn,
                ["DefaultVersionNumber"] = 1,
                ["LatestVersionNumber"] = 1,
                ["_Versions"] = new JsonArray(Version(context, id, name, 1, input)),
            }, input);
            return new JsonObject { ["LaunchTemplate"] = template };
        });
    }

    private static JsonObject Version(RequestContext context, string id, string name, long number, JsonObject input) => new JsonObject
    {
        ["LaunchTemplateId"] = id,
        ["LaunchTemplateName"] = name,
        ["VersionNumber"] = number,
        ["CreateTime"] = Documents.Time(context.Now),
        ["CreatedBy"] = context.PrincipalArn,
        ["LaunchTemplateData"] = input["LaunchTemplateData"].Copy() ?? new JsonObject(),
    }.Take(input, "VersionDescription");

    private static void CheckLaunchData(RequestContext context, JsonObject data)
    {
        if (data.Text("InstanceType") is { } type && !InstanceTypes.All.ContainsKey(type))
        {
            throw Invalid("InvalidInstanceType", $"Invalid instance type: '{type}' (the sandbox knows {InstanceTypes.All.Count} types; see DescribeInstanceTypes)");
        }
        if (data.Text("UserData") is { } userData && !Convert.TryFromBase64String(userData, new byte[userData.Length], out _))
        {
            throw Invalid("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.");
        }
        _ = context;
    }

    private JsonObject LaunchTemplate(RequestContext context, JsonObject input)
    {
        if (input.Text("LaunchTemplateId") is { } id)
        {
            return Kind(context, "lt").Get(id) ?? throw Invalid("InvalidLaunchTemplateId.NotFound", $"The specified launch template, with template ID {id}, does not exist.");
        }
        var name = input.Text("LaunchTemplateName") ?? throw Invalid("MissingParameter", "Either a launch template ID or a launch template name must be specified in the request.");
        return Kind(context, "lt").Find(template => template.Text("LaunchTemplateName") == name)
            ?? throw Invalid("InvalidLaunchTemplateName.NotFoundException", $"The specified launch template, with template name {name}, does not exist.");
    }

    private JsonObject CreateLaunchTemplateVersion(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var template = LaunchTemplate(context, input);
        CheckLaunchData(context, input.Child("LaunchTemplateData") ?? []);
        var id = template.Required("LaunchTemplateId");
        JsonObject? made = null;
        Change(context, "lt", id, document =>
        {
            var number = document.Long("LatestVersionNumber")!.Value + 1;
            made = Version(context, id, document.Required("LaunchTemplateName"), number, input);
            if (input.Text("SourceVersion") is { } source)
            {
                var data = VersionOf(document, source).Child("LaunchTemplateData")!.Copy();
                foreach (var (member, value) in made.Child("LaunchTemplateData")!.ToList())
                {
                    data[member] = value.Copy();
                }
                made["LaunchTemplateData"] = data;
            }
            document["LatestVersionNumber"] = number;
            document.ListOrNew("_Versions").Add(made.DeepClone());
        });
        return new JsonObject { ["LaunchTemplateVersion"] = made };
    }

    private static JsonObject VersionOf(JsonObject template, string version)
    {
        var number = version switch
        {
            "$Latest" => template.Long("LatestVersionNumber"),
            "$Default" => template.Long("DefaultVersionNumber"),
            _ => long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : null,
        };
        return template.Objects("_Versions").FirstOrDefault(item => item.Long("VersionNumber") == number)
            ?? throw Invalid("InvalidLaunchTemplateId.VersionNotFound", $"Could not find launch template version {version} for the launch template ID {template.Text("LaunchTemplateId")}.");
    }

    private JsonObject ModifyLaunchTemplate(RequestContext context, JsonObject input)
    {
        var template = LaunchTemplate(context, input);
        var version = VersionOf(template, input.Text("DefaultVersion") ?? "$Default").Long("VersionNumber");
        Change(context, "lt", template.Required("LaunchTemplateId"), document => document["DefaultVersionNumber"] = version);
        return new JsonObject { ["LaunchTemplate"] = LaunchTemplate(context, input) };
    }

    private JsonObject DescribeLaunchTemplateVersions(RequestContext context, JsonObject input)
    {
        var template = LaunchTemplate(context, input);
        var asked = input.Texts("Versions");
        var versions = (asked.Count > 0 ? asked.Select(version => VersionOf(template, version)) : template.Objects("_Versions").Reverse()).Select(version =>
        {
            var copy = version.Copy();
            copy["DefaultVersion"] = version.Long("VersionNumber") == template.Long("DefaultVersionNumber");
            return copy;
        }).ToList();
        return Pages.Answer(input, versions, "LaunchTemplateVersions");
    }

    private JsonObject DeleteLaunchTemplateVersions(RequestContext context, JsonObject input)
    {
        var template = LaunchTemplate(context, input);
        var deleted = new List<JsonObject>();
        var failed = new List<JsonObject>();
        foreach (var asked in input.Texts("Versions"))
        {
            JsonObject Answer() => new() { ["LaunchTemplateId"] = template.Text("LaunchTemplateId"), ["LaunchTemplateName"] = template.Text("LaunchTemplateName"), ["VersionNumber"] = long.Parse(asked, CultureInfo.InvariantCulture) };
            if (!long.TryParse(asked, out var number) || number == template.Long("DefaultVersionNumber"))
            {
                throw Invalid("OperationNotPermitted", "You cannot delete the default version of a launch template.");
            }
            if (!template.Objects("_Versions").Any(version => version.Long("VersionNumber") == number))
            {
                failed.Add(Answer().With("ResponseError", new JsonObject { ["Code"] = "launchTemplateVersionDoesNotExist", ["Message"] = "Launch template version does not exist." }));
                continue;
            }
            Change(context, "lt", template.Required("LaunchTemplateId"), document =>
                document.ListOrNew("_Versions").Remove(document.Objects("_Versions").First(version => version.Long("VersionNumber") == number)));
            deleted.Add(Answer());
        }
        return new JsonObject { ["SuccessfullyDeletedLaunchTemplateVersions"] = deleted.ToJsonList(), ["UnsuccessfullyDeletedLaunchTemplateVersions"] = failed.ToJsonList() };
    }

    /// <summary>The data of a launch template's version, for those who launch from it.</summary>
    public (JsonObject Data, JsonObject Version) LaunchData(RequestContext context, JsonObject specification)
    {
        var version = VersionOf(LaunchTemplate(context, specification), specification.Text("Version") ?? "$Default");
        return (version.Child("LaunchTemplateData")!.Copy(), version.Copy());
    }
}
