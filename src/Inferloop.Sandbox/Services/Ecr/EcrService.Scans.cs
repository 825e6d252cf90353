using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecr;

/// <content>
/// Basic scanning. No layers are stored, so what a scan finds is read from the image's tags: <c>vulnerable</c> has a critical weakness,
/// <c>weak</c> one of high severity, and of <c>unscannable</c> the scan fails; all others have none.
/// </content>
internal sealed partial class EcrService
{
    private static readonly (string Word, string Name, string Severity, string Package)[] Weaknesses =
    [
        ("vulnerable", "CVE-2024-3094", "CRITICAL", "xz-utils"),
        ("vulnerable", "CVE-2024-45490", "HIGH", "expat"),
        ("weak", "CVE-2024-5535", "HIGH", "openssl"),
    ];

    private void AddScans()
    {
        On("StartImageScan", (context, input) =>
        {
            var repository = Repository(context, input);
            var id = input.Child("imageId")!;
            var image = Image(repository, id) ?? throw NoImage(repository, id);
            if (image.TimeOf("scanned") > context.Now.AddDays(-1))
            {
                throw new ServiceFault("LimitExceededException", "The scan quota per image has been exceeded. Wait and try again.");
            }
            Repositories(context).Update(repository.Required("repositoryName"), document => document.Objects("_Images").First(item => item.Text("digest") == image.Text("digest"))["scanned"] = Documents.Time(context.Now));
            return Answer(repository, image, id).With("imageScanStatus", new JsonObject { ["status"] = "IN_PROGRESS" });
        });
        On("DescribeImageScanFindings", (context, input) =>
        {
            var repository = Repository(context, input);
            var id = input.Child("imageId")!;
            var image = Image(repository, id) ?? throw NoImage(repository, id);
            var detail = Scanned([], image);
            if (!detail.Has("imageScanStatus"))
            {
                throw new ServiceFault("ScanNotFoundException", $"Image scan does not exist for the image with '{{imageDigest:'{image.Text("digest")}', imageTag:'{id.Text("imageTag") ?? "null"}'}}' in the repository with name '{repository.Text("repositoryName")}' in the registry with id '{context.AccountId}'");
            }
            var answer = Answer(repository, image, id).With("imageScanStatus", detail["imageScanStatus"].Copy());
            if (detail.Child("imageScanFindingsSummary") is { } summary)
            {
                summary["findings"] = Found(image).Select(found => new JsonObject
                {
                    ["name"] = found.Name,
                    ["severity"] = found.Severity,
                    ["uri"] = "https://nvd.nist.gov/vuln/detail/" + found.Name,
                    ["attributes"] = new JsonArray(new JsonObject { ["key"] = "package_name", ["value"] = found.Package }),
                }).ToJsonList();
                answer["imageScanFindings"] = summary.Copy();
            }
            return answer;
        });
    }

    private static JsonObject Answer(JsonObject repository, JsonObject image, JsonObject id) => new()
    {
        ["registryId"] = repository.Text("registryId"),
        ["repositoryName"] = repository.Text("repositoryName"),
        ["imageId"] = new JsonObject { ["imageDigest"] = image.Text("digest") }.With("imageTag", id.Text("imageTag")),
    };

    private static IEnumerable<(string Word, string Name, string Severity, string Package)> Found(JsonObject image) =>
        Weaknesses.Where(weakness => image.Texts("tags").Any(tag => tag.Contains(weakness.Word, StringComparison.Ordinal)));

    /// <summary>An image's detail with how far its scan is, where it has one.</summary>
    private JsonObject Scanned(JsonObject detail, JsonObject image)
    {
        if (image.TimeOf("scanned") is not { } begun)
        {
            return detail;
        }
        var end = begun + Durations.ImageScan;
        var failed = image.Texts("tags").Any(tag => tag.Contains("unscannable", StringComparison.Ordinal));
        detail["imageScanStatus"] = new JsonObject
        {
            ["status"] = end > Runtime.Clock.Now ? "IN_PROGRESS" : failed ? "FAILED" : "COMPLETE",
        }.With("description", end > Runtime.Clock.Now ? null : failed ? "UnsupportedImageError: The operating system and/or package manager are not supported." : "The scan was completed successfully.");
        if (end <= Runtime.Clock.Now && !failed)
        {
            var counts = new JsonObject();
            foreach (var group in Found(image).GroupBy(found => found.Severity))
            {
                counts[group.Key] = group.Count();
            }
            detail["imageScanFindingsSummary"] = new JsonObject { ["imageScanCompletedAt"] = Documents.Time(end), ["vulnerabilitySourceUpdatedAt"] = Documents.Time(begun.AddHours(-6)), ["findingSeverityCounts"] = counts };
        }
        return detail;
    }
}
