using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>Dashboards, with the checks that CloudWatch makes of their bodies.</summary>
internal sealed partial class CloudWatchService
{
    private Collection Dashboards(RequestContext context) => Runtime.Collection(ModelName, "dashboards", context.AccountId, "");

    private static ServiceFault NoDashboard(string name) => new("ResourceNotFound", $"Dashboard {name} does not exist", 404);

    private void AddDashboards()
    {
        On("PutDashboard", (context, input) =>
        {
            var (errors, warnings) = DashboardBody.Check(input.Required("DashboardBody"));
            if (errors.Count > 0)
            {
                throw new ServiceFault("InvalidParameterInput", "The dashboard body is invalid, there are 1 or more validation errors: " + string.Join("; ", errors.Select(error => error.Text("Message"))), 400, new JsonObject
                {
                    ["dashboardValidationMessages"] = errors.Concat(warnings).ToJsonList(),
                });
            }
            var name = input.Required("DashboardName");
            Dashboards(context).Put(name, new JsonObject
            {
                ["DashboardName"] = name,
                ["DashboardArn"] = context.GlobalArn("cloudwatch", "dashboard/" + name),
                ["DashboardBody"] = input.Text("DashboardBody"),
                ["LastModified"] = Documents.Time(context.Now),
                ["Size"] = System.Text.Encoding.UTF8.GetByteCount(input.Required("DashboardBody")),
                ["_Tags"] = Dashboards(context).Get(name)?["_Tags"].Copy() ?? input["Tags"].Copy() ?? new JsonArray(),
            });
            return new JsonObject { ["DashboardValidationMessages"] = warnings.ToJsonList() };
        });
        On("GetDashboard", (context, input) => Dashboards(context).Get(input.Required("DashboardName")) ?? throw NoDashboard(input.Required("DashboardName")));
        On("ListDashboards", (context, input) => Pages.Answer(input, Dashboards(context).Where(item => item.Required("DashboardName").StartsWith(input.Text("DashboardNamePrefix") ?? "", StringComparison.Ordinal)).ToList(),
            "DashboardEntries", "MaxResults", "NextToken", 1000, "InvalidNextToken"));
        On("DeleteDashboards", (context, input) =>
        {
            var names = input.Texts("DashboardNames");
            if (names.FirstOrDefault(name => !Dashboards(context).Contains(name)) is { } missing)
            {
                throw NoDashboard(missing);
            }
            foreach (var name in names)
            {
                Dashboards(context).Remove(name);
            }
            return [];
        });
    }
}
