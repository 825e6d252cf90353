using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>Something that befell an object, as event notifications name it.</summary>
/// <param name="Context">Who did it; the service itself for lifecycle rules and replication.</param>
/// <param name="Bucket">The bucket.</param>
/// <param name="Key">The object's key.</param>
/// <param name="Version">The version it befell; null for one that is gone.</param>
/// <param name="Name">The event, such as <c>ObjectCreated:Put</c>.</param>
internal sealed record S3Happening(RequestContext Context, S3Bucket Bucket, string Key, S3Version? Version, string Name);
