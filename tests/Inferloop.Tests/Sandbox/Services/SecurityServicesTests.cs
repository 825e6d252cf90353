using System.Text;
using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>KMS, IAM, Secrets Manager, SSM parameters.</summary>
public sealed class SecurityServicesTests : ServiceTestBase
{
    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [Fact]
    public async Task What_a_key_encrypts_only_it_decrypts_and_only_in_the_same_context()
    {
        var key = (string)(await Call("kms", "CreateKey"))["KeyMetadata"]!["KeyId"]!;
        await Call("kms", "CreateAlias", $$"""{"AliasName":"alias/demo","TargetKeyId":"{{key}}"}""");
        var sealed_ = (string)(await Call("kms", "Encrypt", $$"""{"KeyId":"alias/demo","Plaintext":"{{Base64("secret")}}","EncryptionContext":{"a":"1","b":"2"} }"""))["CiphertextBlob"]!;
        var opened = await Call("kms", "Decrypt", $$"""{"CiphertextBlob":"{{sealed_}}","EncryptionContext":{"b":"2","a":"1"} }""");
        Assert.Equal(Base64("secret"), (string?)opened["Plaintext"]);
        Assert.Equal("InvalidCiphertextException", (await Fails("kms", "Decrypt", $$"""{"CiphertextBlob":"{{sealed_}}","EncryptionContext":{"a":"12","b":""} }""")).Code);
        // Material from before a rotation still opens what it sealed.
        await Call("kms", "RotateKeyOnDemand", $$"""{"KeyId":"{{key}}"}""");
        Assert.Equal(Base64("secret"), (string?)(await Call("kms", "Decrypt", $$"""{"CiphertextBlob":"{{sealed_}}","EncryptionContext":{"a":"1","b":"2"} }"""))["Plaintext"]);
        await Call("kms", "ScheduleKeyDeletion", $$"""{"KeyId":"{{key}}","PendingWindowInDays":7}""");
        Assert.Equal("KMSInvalidStateException", (await Fails("kms", "Decrypt", $$"""{"CiphertextBlob":"{{sealed_}}","EncryptionContext":{"a":"1","b":"2"} }""")).Code);
        Pass(TimeSpan.FromDays(8));
        Assert.Equal("NotFoundException", (await Fails("kms", "DescribeKey", $$"""{"KeyId":"alias/demo"}""")).Code);
    }

    [Fact]
    public async Task A_role_is_refused_deletion_while_something_is_attached_and_policies_are_checked()
    {
        const string Trust = """{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ecs-tasks.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}""";
        await Call("iam", "CreateRole", $$"""{"RoleName":"task","AssumeRolePolicyDocument":"{{Trust}}"}""");
        Assert.Equal("EntityAlreadyExists", (await Fails("iam", "CreateRole", $$"""{"RoleName":"task","AssumeRolePolicyDocument":"{{Trust}}"}""")).Code);
        Assert.Equal("MalformedPolicyDocument", (await Fails("iam", "PutRolePolicy", """{"RoleName":"task","PolicyName":"p","PolicyDocument":"{}"}""")).Code);
        Assert.Equal("NoSuchEntity", (await Fails("iam", "AttachRolePolicy", """{"RoleName":"task","PolicyArn":"arn:aws:iam::aws:policy/NotThere"}""")).Code);
        await Call("iam", "AttachRolePolicy", """{"RoleName":"task","PolicyArn":"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}""");
        Assert.Equal(("DeleteConflict", "Cannot delete entity, must detach all policies first."), ((await Fails("iam", "DeleteRole", """{"RoleName":"task"}""")) is var fault ? (fault.Code, fault.Message) : default));
        await Call("iam", "DetachRolePolicy", """{"RoleName":"task","PolicyArn":"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}""");
        await Call("iam", "DeleteRole", """{"RoleName":"task"}""");
        Assert.Equal(("NoSuchEntity", 404), ((await Fails("iam", "GetRole", """{"RoleName":"task"}""")) is var gone ? (gone.Code, gone.Status) : default));
    }

    [Fact]
    public async Task A_secret_has_versions_and_stages_and_a_window_to_change_ones_mind()
    {
        var arn = (string)(await Call("secretsmanager", "CreateSecret", """{"Name":"demo/db","SecretString":"one"}"""))["ARN"]!;
        Assert.Matches("^arn:aws:secretsmanager:us-east-1:123456789012:secret:demo/db-[A-Za-z0-9]{6}$", arn);
        await Call("secretsmanager", "PutSecretValue", """{"SecretId":"demo/db","SecretString":"two"}""");
        Assert.Equal("two", (string?)(await Call("secretsmanager", "GetSecretValue", $$"""{"SecretId":"{{arn}}"}"""))["SecretString"]);
        Assert.Equal("one", (string?)(await Call("secretsmanager", "GetSecretValue", """{"SecretId":"demo/db","VersionStage":"AWSPREVIOUS"}"""))["SecretString"]);
        Assert.Equal("InvalidRequestException", (await Fails("secretsmanager", "RotateSecret", """{"SecretId":"demo/db"}""")).Code);
        await Call("secretsmanager", "DeleteSecret", """{"SecretId":"demo/db","RecoveryWindowInDays":7}""");
        Assert.Equal("InvalidRequestException", (await Fails("secretsmanager", "GetSecretValue", """{"SecretId":"demo/db"}""")).Code);
        await Call("secretsmanager", "RestoreSecret", """{"SecretId":"demo/db"}""");
        await Call("secretsmanager", "DeleteSecret", """{"SecretId":"demo/db","RecoveryWindowInDays":7}""");
        Pass(TimeSpan.FromDays(8));
        Assert.Equal("ResourceNotFoundException", (await Fails("secretsmanager", "DescribeSecret", """{"SecretId":"demo/db"}""")).Code);
    }

    [Fact]
    public async Task A_generated_secret_keeps_to_what_was_asked()
    {
        var secret = await Provision("AWS::SecretsManager::Secret", """{"Name":"demo/generated","GenerateSecretString":{"SecretStringTemplate":"{\"username\":\"app\"}","GenerateStringKey":"password","PasswordLength":"40","ExcludeCharacters":"\"@/\\"} }""");
        var value = JsonNode.Parse((string)(await Call("secretsmanager", "GetSecretValue", $$"""{"SecretId":"{{secret.PhysicalId}}"}"""))["SecretString"]!)!;
        Assert.Equal("app", (string?)value["username"]);
        var password = (string)value["password"]!;
        Assert.Equal(40, password.Length);
        Assert.DoesNotContain(password, c => "\"@/\\".Contains(c, StringComparison.Ordinal));
        Assert.Contains(password, char.IsDigit);
        await Complete(Provider("AWS::SecretsManager::Secret").DeleteAsync(Provisioning(), secret.PhysicalId, []));
        Assert.Null(await Provider("AWS::SecretsManager::Secret").ReadAsync(Provisioning(), secret.PhysicalId));
    }

    [Fact]
    public async Task Parameters_have_versions_are_encrypted_on_request_and_include_AWS_images()
    {
        await Call("ssm", "PutParameter", """{"Name":"/demo/plain","Type":"String","Value":"a"}""");
        Assert.Equal("ParameterAlreadyExists", (await Fails("ssm", "PutParameter", """{"Name":"/demo/plain","Type":"String","Value":"b"}""")).Code);
        await Call("ssm", "PutParameter", """{"Name":"/demo/plain","Value":"b","Overwrite":true}""");
        Assert.Equal("a", (string?)(await Call("ssm", "GetParameter", """{"Name":"/demo/plain:1"}"""))["Parameter"]!["Value"]);
        await Call("ssm", "PutParameter", """{"Name":"/demo/secret","Type":"SecureString","Value":"hidden"}""");
        Assert.NotEqual("hidden", (string?)(await Call("ssm", "GetParameter", """{"Name":"/demo/secret"}"""))["Parameter"]!["Value"]);
        Assert.Equal("hidden", (string?)(await Call("ssm", "GetParameter", """{"Name":"/demo/secret","WithDecryption":true}"""))["Parameter"]!["Value"]);
        Assert.Equal(2, (await Call("ssm", "GetParametersByPath", """{"Path":"/demo"}"""))["Parameters"]!.AsArray().Count);
        var image = (string?)(await Call("ssm", "GetParameter", """{"Name":"/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"}"""))["Parameter"]!["Value"];
        Assert.Single((await Call("ec2", "DescribeImages", $$"""{"ImageIds":["{{image}}"]}"""))["Images"]!.AsArray());
        Assert.Equal("AccessDeniedException", (await Fails("ssm", "PutParameter", """{"Name":"/aws/x","Type":"String","Value":"b"}""")).Code);
    }
}
