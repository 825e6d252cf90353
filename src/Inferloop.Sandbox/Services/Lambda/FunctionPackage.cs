using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ecr;
using Inferloop.Sandbox.Services.S3;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>What a function's code is, as far as it can be told without running it.</summary>
internal sealed record FunctionPackage(long Size, string Digest, JsonObject Code)
{
    private const long MaximumDirect = 50L * 1024 * 1024;

    /// <summary>Reads the package that a call names: inline, in S3, or an image.</summary>
    public static FunctionPackage Read(RequestContext context, JsonObject code, string packageType, long maximumUnzipped)
    {
        if (packageType == "Image")
        {
            return code.Text("ImageUri") is { } image ? Image(context, image) : throw Invalid("Please provide ImageUri when creating a function with packageType Image.");
        }
        ReadOnlyMemory<byte> bytes;
        if (code.Text("ZipFile") is { } inline)
        {
            bytes = Convert.FromBase64String(inline);
            if (bytes.Length > MaximumDirect)
            {
                throw new ServiceFault("RequestTooLargeException", $"Request must be smaller than {MaximumDirect * 4 / 3} bytes for the CreateFunction operation", 413);
            }
        }
        else if (code.Text("S3Bucket") is { } bucket && code.Text("S3Key") is { } key)
        {
            bytes = Stored(context, bucket, key, code.Text("S3ObjectVersion"));
        }
        else
        {
            throw Invalid("Please provide a source for function code.");
        }
        Measure(bytes, maximumUnzipped);
        return new FunctionPackage(bytes.Length, Convert.ToBase64String(SHA256.HashData(bytes.Span)), new JsonObject { ["RepositoryType"] = "S3" });
    }

    private static ServiceFault Invalid(string message) => new("InvalidParameterValueException", message, 400, new JsonObject { ["Type"] = "User" });

    private static ReadOnlyMemory<byte> Stored(RequestContext context, string bucket, string key, string? version)
    {
        var s3 = context.Runtime.Service<S3Service>();
        if (s3.RegionOf(bucket) is { } region && region != context.Region)
        {
            throw Invalid($"Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: {region}. Please use this region to retry the request");
        }
        try
        {
            return s3.Read(context, bucket, key, version);
        }
        catch (ServiceFault fault)
        {
            throw Invalid($"Error occurred while GetObject. S3 Error Code: {fault.Code}. S3 Error Message: {fault.Message}");
        }
    }

    private static void Measure(ReadOnlyMemory<byte> bytes, long maximum)
    {
        long unzipped = 0;
        try
        {
            using var archive = new ZipArchive(new MemoryStream(bytes.ToArray(), writable: false), ZipArchiveMode.Read);
            unzipped = archive.Entries.Sum(entry => entry.Length);
        }
        catch (InvalidDataException)
        {
            throw Invalid("Could not unzip uploaded file. Please check your file, then try to upload again.");
        }
        if (unzipped > maximum)
        {
            throw Invalid($"Unzipped size must be smaller than {maximum} bytes");
        }
    }

    private static FunctionPackage Image(RequestContext context, string image)
    {
        // <account>.dkr.ecr.<region>.<suffix>/<repository>[:tag|@digest]
        var slash = image.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || image[..slash].Split('.') is not [var account, "dkr", "ecr", var region, ..])
        {
            throw Invalid($"Source image {image} is not valid. Provide a valid source image.");
        }
        var rest = image[(slash + 1)..];
        var at = rest.IndexOf('@', StringComparison.Ordinal);
        var (repository, tag) = at > 0 ? (rest[..at], rest[(at + 1)..])
            : rest.Split(':') is [var named, var label] ? (named, label) : (rest, "latest");
        if (region != context.Region || context.Runtime.Service<EcrService>().Find(context.With(account, region), repository, tag) is null)
        {
            throw Invalid($"Source image {image} does not exist. Provide a valid source image.");
        }
        var digest = Ecs.ContainerImages.DigestOf(context, image)!["sha256:".Length..];
        return new FunctionPackage(0, digest, new JsonObject
        {
            ["RepositoryType"] = "ECR",
            ["ImageUri"] = image,
            ["ResolvedImageUri"] = at > 0 ? image : $"{image[..slash]}/{repository}@sha256:{digest}",
        });
    }
}
