using System.Management.Automation;
using System.Net.Sockets;
using System.Resources;
using System.Text.RegularExpressions;
using Inferloop.Aws;
using Inferloop.Operations;
using Inferloop.PowerShell.Pipeline;
using Inferloop.Tests;

namespace Inferloop.PowerShell.Tests;

/// <summary>What a failure looks like to the user: stable id, category, target, recommended action, and no secret.</summary>
public sealed class ErrorRecordTests
{
    [Fact]
    public void A_coded_failure_keeps_its_id_kind_target_and_action()
    {
        var record = ErrorRecords.From(
            new OperationException("EnvironmentBusy", OperationErrorKind.Busy, "It is busy.", "Wait-InferloopEnvironment demo", "demo"), new SecretScrubber());
        Assert.Equal(("EnvironmentBusy", ErrorCategory.ResourceBusy, "demo"), (record.FullyQualifiedErrorId, record.CategoryInfo.Category, record.TargetObject));
        Assert.Equal("It is busy.", record.ErrorDetails.Message);
        Assert.Equal("Wait-InferloopEnvironment demo", record.ErrorDetails.RecommendedAction);
    }

    [Theory]
    [InlineData(AwsFailureKind.ExpiredCredentials, "AwsCredentialsExpired", ErrorCategory.AuthenticationError)]
    [InlineData(AwsFailureKind.NoCredentials, "AwsCredentialsMissing", ErrorCategory.AuthenticationError)]
    [InlineData(AwsFailureKind.InvalidRegion, "AwsRegionInvalid", ErrorCategory.InvalidArgument)]
    public void A_failure_on_the_way_to_aws_has_an_id_of_its_own(AwsFailureKind kind, string id, ErrorCategory category)
    {
        var record = ErrorRecords.From(new AwsConnectionException(kind, "why"), new SecretScrubber());
        Assert.Equal((id, category), (record.FullyQualifiedErrorId, record.CategoryInfo.Category));
        Assert.NotEmpty(record.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void A_refused_connection_is_a_connection_error()
    {
        var record = ErrorRecords.From(new HttpRequestException("refused", new SocketException((int)SocketError.ConnectionRefused)), new SecretScrubber());
        Assert.Equal(("AwsEndpointUnreachable", ErrorCategory.ConnectionError), (record.FullyQualifiedErrorId, record.CategoryInfo.Category));
    }

    [Fact]
    public void Every_kind_of_failure_has_a_category()
    {
        Assert.All(Enum.GetValues<OperationErrorKind>(), kind => Assert.NotEqual(ErrorCategory.NotSpecified, ErrorRecords.CategoryOf(kind)));
    }

    [Fact]
    public void A_secret_is_neither_in_the_message_nor_behind_it()
    {
        const string Secret = "wJalrXUtnFEMIsecretK7MDENG";
        var secrets = new SecretScrubber();
        secrets.Add(Secret);
        var record = ErrorRecords.From(new InvalidOperationException("outer", new ArgumentException("the key " + Secret + " is wrong")), secrets);
        Assert.DoesNotContain(Secret, record.Exception.ToString(), StringComparison.Ordinal);
        record = ErrorRecords.From(new ArgumentException("the key " + Secret + " is wrong"), secrets);
        Assert.DoesNotContain(Secret, record.Exception + record.ErrorDetails.Message + record.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("********", record.ErrorDetails.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Signatures_and_tokens_are_masked_without_being_told()
    {
        var text = new SecretScrubber().Scrub("GET /?X-Amz-Signature=0123456789abcdef0123456789abcdef&X=1 SessionToken: \"FwoGZXIvYXdzEBYaDHexample\"");
        Assert.Equal("GET /?X-Amz-Signature=********&X=1 SessionToken: \"********\"", text);
    }

    [Fact]
    public void Every_error_id_has_a_message_an_action_and_a_kind_and_is_used()
    {
        var ids = typeof(ErrorIds).GetFields().Select(f => (string)f.GetRawConstantValue()!).ToHashSet();
        Assert.NotEmpty(ids);
        var resources = new ResourceManager("Inferloop.PowerShell.Messages", typeof(ErrorIds).Assembly)
            .GetResourceSet(System.Globalization.CultureInfo.InvariantCulture, true, false)!.Cast<System.Collections.DictionaryEntry>().Select(e => (string)e.Key).ToHashSet();
        Assert.Equal(ids.Concat(ids.Select(i => i + "_Action")).Order(), resources.Order());

        var source = string.Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", "Inferloop.PowerShell"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(File.ReadAllText));
        Assert.All(ids, id =>
        {
            var error = CodedErrors.Create(id, null, "a", "b", "c");
            Assert.NotEqual(ErrorCategory.NotSpecified, ErrorRecords.CategoryOf(error.Kind));

            // Once in the table of kinds, and at least once where it is raised.
            Assert.True(Regex.Count(source, $@"ErrorIds\.{id}\b") >= 2, $"{id} is never raised");
        });
    }

    [Fact]
    public void Annotations_are_escaped_as_each_system_wants_them()
    {
        var github = ContinuousIntegration.Detect(name => name == "GITHUB_ACTIONS" ? "true" : null);
        Assert.Equal("::warning title=a%3Ab%2Cc::50%25%0Aoff: now", github.Warning("a:b,c", "50%\noff: now"));
        var azure = ContinuousIntegration.Detect(name => name == "TF_BUILD" ? "True" : null);
        Assert.Equal("##vso[task.logissue type=error;code=a%3Bb%5D]50%AZP25%0Aoff", azure.Error("a;b]", "50%\noff"));
        Assert.Same(ContinuousIntegration.None, ContinuousIntegration.Detect(_ => null));
    }
}
