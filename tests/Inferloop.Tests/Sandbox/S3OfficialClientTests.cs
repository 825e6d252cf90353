using System.Net;
using System.Text;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace Inferloop.Tests.Sandbox;

/// <summary>The official AWSSDK.S3 and STS packages against the sandbox: clients nobody here wrote.</summary>
public sealed class S3OfficialClientTests : IDisposable
{
    private readonly SandboxFixture sandbox;
    private readonly AmazonS3Client s3;
    private readonly string bucket = "official-" + Guid.NewGuid().ToString("N")[..12];

    public S3OfficialClientTests(SandboxFixture sandbox)
    {
        this.sandbox = sandbox;
        s3 = Client("us-east-1");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private AmazonS3Client Client(string region) => new(
        new BasicAWSCredentials(sandbox.Host.AccessKeyId, sandbox.Host.SecretAccessKey),
        new AmazonS3Config { ServiceURL = sandbox.Host.Endpoint.ToString(), AuthenticationRegion = region, ForcePathStyle = true, MaxErrorRetry = 0 });

    public void Dispose() => s3.Dispose();

    [Fact]
    public async Task Objects_go_in_and_come_out()
    {
        await s3.PutBucketAsync(bucket, Cancellation);
        const string Key = "päth/with spaces+and%25/ünïcode.txt";
        var put = new PutObjectRequest { BucketName = bucket, Key = Key, ContentBody = "hello", ContentType = "text/plain" };
        put.Metadata.Add("colour", "green");
        var etag = (await s3.PutObjectAsync(put, Cancellation)).ETag;
        Assert.Equal("\"5d41402abc4b2a76b9719d911017c592\"", etag);
        using var got = await s3.GetObjectAsync(bucket, Key, Cancellation);
        using var reader = new StreamReader(got.ResponseStream);
        Assert.Equal("hello", await reader.ReadToEndAsync(Cancellation));
        Assert.Equal(("text/plain", "green", etag), (got.Headers.ContentType, got.Metadata["colour"], got.ETag));
        using var part = await s3.GetObjectAsync(new GetObjectRequest { BucketName = bucket, Key = Key, ByteRange = new ByteRange(1, 3) }, Cancellation);
        using var partReader = new StreamReader(part.ResponseStream);
        Assert.Equal("ell", await partReader.ReadToEndAsync(Cancellation));
        Assert.Equal("bytes 1-3/5", part.ContentRange);
        var copied = await s3.CopyObjectAsync(bucket, Key, bucket, "copy", Cancellation);
        Assert.Equal(etag, copied.ETag);
    }

    [Fact]
    public async Task Versions_delete_markers_and_their_listing()
    {
        await s3.PutBucketAsync(bucket, Cancellation);
        await s3.PutBucketVersioningAsync(new PutBucketVersioningRequest { BucketName = bucket, VersioningConfig = new S3BucketVersioningConfig { Status = VersionStatus.Enabled } }, Cancellation);
        var first = (await PutAsync("key", "one")).VersionId;
        var second = (await PutAsync("key", "two")).VersionId;
        var marker = await s3.DeleteObjectAsync(bucket, "key", Cancellation);
        Assert.Equal("true", marker.DeleteMarker);
        var missing = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.GetObjectAsync(bucket, "key", Cancellation));
        Assert.Equal(("NoSuchKey", HttpStatusCode.NotFound), (missing.ErrorCode, missing.StatusCode));
        using var old = await s3.GetObjectAsync(bucket, "key", first, Cancellation);
        using var reader = new StreamReader(old.ResponseStream);
        Assert.Equal("one", await reader.ReadToEndAsync(Cancellation));
        var listed = new List<(string Version, bool Marker, bool Latest)>();
        await foreach (var version in s3.Paginators.ListVersions(new ListVersionsRequest { BucketName = bucket, MaxKeys = 1 }).Versions.WithCancellation(Cancellation))
        {
            listed.Add((version.VersionId, version.IsDeleteMarker == true, version.IsLatest == true));
        }
        Assert.Equal([(marker.VersionId, true, true), (second, false, false), (first, false, false)], listed);
        var full = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.DeleteBucketAsync(bucket, Cancellation));
        Assert.Equal("BucketNotEmpty", full.ErrorCode);
        await s3.DeleteObjectsAsync(new DeleteObjectsRequest { BucketName = bucket, Objects = listed.Select(item => new KeyVersion { Key = "key", VersionId = item.Version }).ToList() }, Cancellation);
        await s3.DeleteBucketAsync(bucket, Cancellation);
    }

    [Fact]
    public async Task Listings_are_paged_and_roll_up_prefixes()
    {
        await s3.PutBucketAsync(bucket, Cancellation);
        foreach (var i in Enumerable.Range(0, 23))
        {
            await PutAsync($"folder{i % 4}/{i:D2}", "x");
        }
        await PutAsync("top", "x");
        var keys = new List<string>();
        await foreach (var item in s3.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = bucket, MaxKeys = 5 }).S3Objects.WithCancellation(Cancellation))
        {
            keys.Add(item.Key);
        }
        Assert.Equal(24, keys.Count);
        Assert.Equal(keys.Order(StringComparer.Ordinal), keys);
        var prefixes = new List<string>();
        var objects = new List<string>();
        var request = new ListObjectsV2Request { BucketName = bucket, Delimiter = "/", MaxKeys = 2 };
        ListObjectsV2Response page;
        do
        {
            page = await s3.ListObjectsV2Async(request, Cancellation);
            prefixes.AddRange(page.CommonPrefixes ?? []);
            objects.AddRange((page.S3Objects ?? []).Select(item => item.Key));
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
        Assert.Equal(["folder0/", "folder1/", "folder2/", "folder3/"], prefixes);
        Assert.Equal(["top"], objects);
    }

    [Fact]
    public async Task Multipart_uploads_assemble_and_check_their_parts()
    {
        await s3.PutBucketAsync(bucket, Cancellation);
        var content = new byte[11 * 1024 * 1024];
        new Random(7).NextBytes(content);
        using (var transfer = new TransferUtility(s3))
        {
            await transfer.UploadAsync(new TransferUtilityUploadRequest { BucketName = bucket, Key = "large", InputStream = new MemoryStream(content), PartSize = 5 * 1024 * 1024 }, Cancellation);
        }
        using var got = await s3.GetObjectAsync(bucket, "large", Cancellation);
        using var read = new MemoryStream();
        await got.ResponseStream.CopyToAsync(read, Cancellation);
        Assert.True(content.AsSpan().SequenceEqual(read.ToArray()));
        var upload = await s3.InitiateMultipartUploadAsync(bucket, "broken", Cancellation);
        var part = await s3.UploadPartAsync(new UploadPartRequest { BucketName = bucket, Key = "broken", UploadId = upload.UploadId, PartNumber = 1, InputStream = new MemoryStream("small"u8.ToArray()) }, Cancellation);
        var wrong = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest { BucketName = bucket, Key = "broken", UploadId = upload.UploadId, PartETags = [new PartETag(2, part.ETag)] }, Cancellation));
        Assert.Equal("InvalidPart", wrong.ErrorCode);
        Assert.Single((await s3.ListMultipartUploadsAsync(bucket, Cancellation)).MultipartUploads);
        await s3.AbortMultipartUploadAsync(bucket, "broken", upload.UploadId, Cancellation);
        Assert.Empty((await s3.ListMultipartUploadsAsync(bucket, Cancellation)).MultipartUploads ?? []);
    }

    [Fact]
    public async Task Conditional_writes_and_reads()
    {
        await s3.PutBucketAsync(bucket, Cancellation);
        var etag = (await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "once", ContentBody = "1", IfNoneMatch = "*" }, Cancellation)).ETag;
        var taken = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "once", ContentBody = "2", IfNoneMatch = "*" }, Cancellation));
        Assert.Equal(("PreconditionFailed", HttpStatusCode.PreconditionFailed), (taken.ErrorCode, taken.StatusCode));
        await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "once", ContentBody = "2", IfMatch = etag }, Cancellation);
        var stale = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "once", ContentBody = "3", IfMatch = etag }, Cancellation));
        Assert.Equal("PreconditionFailed", stale.ErrorCode);
        var current = (await s3.GetObjectMetadataAsync(bucket, "once", Cancellation)).ETag;
        var unchanged = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.GetObjectAsync(new GetObjectRequest { BucketName = bucket, Key = "once", EtagToNotMatch = current }, Cancellation));
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Fact]
    public async Task A_wrong_checksum_is_refused()
    {
        await s3.PutBucketAsync(bucket, Cancellation);
        var wrong = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "x", ContentBody = "hello", ChecksumSHA256 = Convert.ToBase64String(new byte[32]) }, Cancellation));
        Assert.Equal("BadDigest", wrong.ErrorCode);
        foreach (var algorithm in new[] { ChecksumAlgorithm.CRC32, ChecksumAlgorithm.SHA1, ChecksumAlgorithm.SHA256 })
        {
            await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "x", ContentBody = "hello", ChecksumAlgorithm = algorithm }, Cancellation);
        }
    }

    [Fact]
    public async Task Bucket_configuration_is_kept_and_given_back()
    {
        await s3.PutBucketAsync(bucket, Cancellation);
        // The official client does not throw where there is no policy: it gives the answer as it is.
        var none = await s3.GetBucketPolicyAsync(bucket, Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, none.HttpStatusCode);
        Assert.Contains("<Code>NoSuchBucketPolicy</Code>", none.Policy, StringComparison.Ordinal);
        var policy = """{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::BUCKET","arn:aws:s3:::BUCKET/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}""".Replace("BUCKET", bucket, StringComparison.Ordinal);
        await s3.PutBucketPolicyAsync(bucket, policy, Cancellation);
        Assert.Equal(policy, (await s3.GetBucketPolicyAsync(bucket, Cancellation)).Policy);
        var open = policy.Replace("Deny", "Allow", StringComparison.Ordinal).Replace(",\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}}", "", StringComparison.Ordinal);
        Assert.Equal("AccessDenied", (await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.PutBucketPolicyAsync(bucket, open, Cancellation))).ErrorCode);
        await s3.PutBucketEncryptionAsync(new PutBucketEncryptionRequest
        {
            BucketName = bucket,
            ServerSideEncryptionConfiguration = new ServerSideEncryptionConfiguration { ServerSideEncryptionRules = [new ServerSideEncryptionRule { ServerSideEncryptionByDefault = new ServerSideEncryptionByDefault { ServerSideEncryptionAlgorithm = ServerSideEncryptionMethod.AWSKMS, ServerSideEncryptionKeyManagementServiceKeyId = "alias/own" } }] },
        }, Cancellation);
        Assert.Equal(ServerSideEncryptionMethod.AWSKMS, (await PutAsync("encrypted", "x")).ServerSideEncryptionMethod);
        await s3.PutLifecycleConfigurationAsync(bucket, new LifecycleConfiguration
        {
            Rules = [new LifecycleRule { Id = "tiers", Status = LifecycleRuleStatus.Enabled, Filter = new LifecycleFilter { LifecycleFilterPredicate = new LifecyclePrefixPredicate { Prefix = "logs/" } }, Transitions = [new LifecycleTransition { Days = 30, StorageClass = S3StorageClass.StandardInfrequentAccess }] }],
        }, Cancellation);
        var rule = Assert.Single((await s3.GetLifecycleConfigurationAsync(bucket, Cancellation)).Configuration.Rules);
        Assert.Equal(("tiers", 30), (rule.Id, rule.Transitions[0].Days));
        Assert.True((await s3.GetPublicAccessBlockAsync(new GetPublicAccessBlockRequest { BucketName = bucket }, Cancellation)).PublicAccessBlockConfiguration.BlockPublicPolicy);
    }

    [Fact]
    public async Task Buckets_are_in_their_region()
    {
        using var west = Client("us-west-2");
        await west.PutBucketAsync(new PutBucketRequest { BucketName = bucket, BucketRegionName = "us-west-2" }, Cancellation);
        Assert.Equal("us-west-2", (await s3.GetBucketLocationAsync(new GetBucketLocationRequest { BucketName = bucket }, Cancellation)).Location.Value);
        var elsewhere = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.GetObjectAsync(bucket, "x", Cancellation));
        Assert.Equal("PermanentRedirect", elsewhere.ErrorCode);
        using var east = Client("eu-west-1");
        var taken = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => west.PutBucketAsync(new PutBucketRequest { BucketName = bucket, BucketRegionName = "us-west-2" }, Cancellation));
        Assert.Equal("BucketAlreadyOwnedByYou", taken.ErrorCode);
        var illegal = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => east.PutBucketAsync(new PutBucketRequest { BucketName = bucket + "x", BucketRegionName = "us-west-2" }, Cancellation));
        Assert.Equal("IllegalLocationConstraintException", illegal.ErrorCode);
    }

    [Fact]
    public async Task A_presigned_address_needs_no_credentials_until_it_expires()
    {
        await s3.PutBucketAsync(bucket, Cancellation);
        using var http = new HttpClient();
        async Task<string> AddressAsync(HttpVerb verb, DateTime expires) => await s3.GetPreSignedURLAsync(new GetPreSignedUrlRequest { BucketName = bucket, Key = "shared", Verb = verb, Expires = expires, Protocol = Protocol.HTTP });
        using var put = await http.PutAsync(new Uri(await AddressAsync(HttpVerb.PUT, DateTime.UtcNow.AddMinutes(5))), new ByteArrayContent(Encoding.UTF8.GetBytes("shared")), Cancellation);
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        var address = await AddressAsync(HttpVerb.GET, DateTime.UtcNow.AddMinutes(5));
        Assert.Equal("shared", await http.GetStringAsync(new Uri(address), Cancellation));
        using var changed = await http.GetAsync(new Uri(address.Replace("/shared?", "/other?", StringComparison.Ordinal)), Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, changed.StatusCode);
    }

    [Fact]
    public async Task Sts_knows_the_caller_and_lends_credentials()
    {
        using var sts = new AmazonSecurityTokenServiceClient(
            new BasicAWSCredentials(sandbox.Host.AccessKeyId, sandbox.Host.SecretAccessKey),
            new AmazonSecurityTokenServiceConfig { ServiceURL = sandbox.Host.Endpoint.ToString(), AuthenticationRegion = "us-east-1" });
        Assert.Equal(sandbox.Host.AccountId, (await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), Cancellation)).Account);
        var lent = (await sts.GetSessionTokenAsync(new GetSessionTokenRequest { DurationSeconds = 900 }, Cancellation)).Credentials;
        Assert.InRange(lent.Expiration!.Value.ToUniversalTime(), DateTime.UtcNow.AddSeconds(800), DateTime.UtcNow.AddSeconds(1000));
        using var borrowed = new AmazonS3Client(lent, new AmazonS3Config { ServiceURL = sandbox.Host.Endpoint.ToString(), AuthenticationRegion = "us-east-1", ForcePathStyle = true });
        Assert.NotNull((await borrowed.ListBucketsAsync(Cancellation)).Owner);
    }

    private Task<PutObjectResponse> PutAsync(string key, string text) =>
        s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = key, ContentBody = text }, Cancellation);
}
